/** STATUS: whether an ADD could be served now, on a real etcd and a real kernel. */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tryLockFile } from '../../src/network/native.ts';
import { writeCluster, writePool } from '../support/cluster.ts';
import { cnitool } from '../support/cnitool.ts';
import { executable } from '../support/executable.ts';
import { useFakeApi } from '../support/fake-kubernetes-api.ts';
import { moveTo, whyNoNetns } from '../support/netns.ts';
import {
  type CniTestCall,
  dumpCalico,
  type SimulatedNode,
  startNode,
  succeeded,
  wholeState,
} from '../support/simulated-node.ts';
import { REFERENCE_PLUGINS } from '../support/tools.ts';

const why = whyNoNetns();
const SILENT = 'http://192.0.2.9:2379';

describe.skipIf(why !== undefined)(`STATUS${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const fake = useFakeApi();
  let node: SimulatedNode;
  let moved: Disposable;
  let folder: string;

  beforeAll(async () => {
    node = await startNode();
    // A neighbour that never answers.
    node.host.sh(
      'ip link add void type veth peer name drain; ip link set drain up; ip address add 192.0.2.1/24 dev void; ip link set void up',
    );
    node.host.sh('ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev void nud permanent');
    moved = moveTo(node.host);
    folder = mkdtempSync(join(tmpdir(), 'status-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    moved[Symbol.dispose]();
    await node.stop();
  });
  beforeEach(async () => {
    await node.etcd.wipe();
    await writeCluster(node.etcd, { nodes: ['node1', 'node2'] });
  });

  const status = (conf: object = {}, more: Partial<CniTestCall> = {}) =>
    node.cni('STATUS', { containerId: '', ...more, conf: { cniVersion: '1.1.0', ...conf } });
  /** Asks twice: the same state has the same answer, and none of them changes it. */
  async function refusal(conf: object = {}, more: Partial<CniTestCall> = {}) {
    const before = await wholeState(node);
    const [first, second] = [await status(conf, more), await status(conf, more)];
    expect(second.json).toEqual(first.json);
    expect(await wholeState(node)).toEqual(before);
    return first.json;
  }

  it.each(['calico', 'calico-ipam'] as const)(
    'of %s is silent when all is well, and writes nothing',
    async (program) => {
      const before = await dumpCalico(node);
      const answer = succeeded(await status({}, { program }));
      expect([answer.stdout, answer.stderr]).toEqual(['', '']);
      expect(await dumpCalico(node)).toEqual(before);
    },
  );

  it('asks etcd two things', async () => {
    const transactions = async () => (await node.etcd.requestCounts()).get('Txn') ?? 0;
    const before = await transactions();
    succeeded(await status({ ipam: { type: 'calico-ipam', assign_ipv4: 'true' } }));
    expect((await transactions()) - before).toBe(2);
  });

  it('takes no lock', async () => {
    const file = join(folder, 'held.lock');
    const holder = openSync(file, 'a');
    onTestFinished(() => closeSync(holder));
    expect(tryLockFile(holder)).toBe(true);
    // An ADD goes on without it after 15 s.
    expect(succeeded(await status({ ipam_lock_file: file })).elapsedMs).toBeLessThan(12_000);
  });

  it('takes little more CPU than a call that asks nobody', () => {
    const input = join(folder, 'conf.json');
    writeFileSync(input, JSON.stringify(node.conf({ cniVersion: '1.1.0' })));
    const [status, version] = [cpuOf('STATUS', input), cpuOf('VERSION', input)];
    process.stdout.write(`STATUS: ${status.toFixed(0)} ms of CPU each, VERSION: ${version.toFixed(0)}\n`);
    expect(status).toBeLessThan(3 * version);
  });

  /** Milliseconds of one call, of many. */
  function cpuOf(command: string, input: string): number {
    const count = 20;
    const text = node.host.sh(
      `export CNI_COMMAND=${command} CNI_PATH=${REFERENCE_PLUGINS}:${join(executable('calico'), '..')}
       for i in $(seq ${count}); do ${executable('calico')} < ${input} > /dev/null; done; times`,
    );
    const [user = 0, system = 0] = [...(text.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
      ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
    );
    return ((user + system) * 1_000) / count;
  }

  describe('refuses what is wrong in the call itself as an ADD would', () => {
    it.each([
      [{ device_type: 'macvlan' }, 7, /unknown device_type "macvlan"/],
      [{ mtu: 'big' }, 7, /mtu must be a number/],
      [{ gc_grace_seconds: -1 }, 7, /gc_grace_seconds must be 0 or more/],
      [{ dataplane_options: { type: 'grpc' } }, 7, /GRPC dataplane socket not configured/],
      [{ dataplane_options: { type: 'grpc', socket: 'nonsense' } }, 7, /invalid dataplane_options.socket/],
      [{ ipam: {} }, 7, /no plugin name provided/],
      [{ datastore_type: 'kubernetes' }, 2, /not supported/],
      [{ cniVersion: '1.0.0' }, 1, /config version does not allow STATUS/],
    ])('%j', async (conf, code, message) => {
      expect(await refusal(conf)).toMatchObject({ code, msg: expect.stringMatching(message) });
    });
  });

  describe('answers 50', () => {
    it.each<[string, object, RegExp]>([
      [
        'nodename file',
        { nodename_file_optional: false, nodename_file: '/none' },
        /^stat \/none: no such file/,
      ],
      ['MTU file', { require_mtu_file: true }, /^failed to read MTU file/],
      ['IPAM plugin', { ipam: { type: 'none-such' } }, /^failed to find plugin "none-such"/],
      ['Node object', { nodename: 'node9' }, /Node\(node9\)/],
      [
        'pool of that name',
        { ipam: { type: 'calico-ipam', ipv4_pools: ['gone'] } },
        /error parsing pool "gone"/,
      ],
      ['kubeconfig', { policy: { type: 'k8s' }, kubernetes: { kubeconfig: '/none' } }, /\/none/],
      ['datastore', { etcd_endpoints: 'http://127.0.0.1:1' }, /127\.0\.0\.1:1/],
      ['answer of the datastore', { etcd_endpoints: SILENT }, /192\.0\.2\.9/],
    ])('without: %s', async (_, conf, message) => {
      const answer = await status(conf);
      expect(answer.json).toMatchObject({ code: 50, msg: expect.stringMatching(message) });
      expect(answer.elapsedMs).toBeLessThan(15_000);
      expect((await status(conf)).json).toEqual(answer.json);
    });

    it.each([
      ['while it is locked', { datastoreReady: false }, 'Calico is currently not ready to process requests'],
    ])('for the datastore %s', async (_, cluster, msg) => {
      await writeCluster(node.etcd, { nodes: ['node1', 'node2'], ...cluster });
      for (const program of ['calico', 'calico-ipam'] as const)
        expect(await refusal({}, { program })).toMatchObject({ code: 50, msg });
    });

    it('for a datastore that holds no cluster', async () => {
      await node.etcd.wipe();
      expect(await refusal()).toMatchObject({
        code: 50,
        msg: expect.stringContaining('error getting ClusterInformation'),
      });
    });

    it('names all who are not ready, in one order', async () => {
      const json = await refusal({ require_mtu_file: true, etcd_endpoints: 'http://127.0.0.1:1' });
      expect(json.code).toBe(50);
      expect(json.msg).toMatch(/^failed to read MTU file.*; .*127\.0\.0\.1:1/);
    });

    it('but not for one of several endpoints that is silent', async () => {
      succeeded(await status({ etcd_endpoints: `${SILENT},${node.etcd.endpoint}` }));
      succeeded(await status({ etcd_endpoints: `${node.etcd.endpoint},${SILENT}` }));
    });
  });

  describe('knows whether there is an address', () => {
    const ipam = (keys: object) => ({ ipam: { type: 'calico-ipam', ...keys } });
    const full = { code: 50, msg: 'no addresses available' };

    it.each([
      ['of the family', ipam({ assign_ipv6: 'true' }), /cannot find a qualified ippool.*no IPv6 pool/s],
      ['of the other family', ipam({ assign_ipv4: 'false', assign_ipv6: 'true' }), /no IPv6 pool/],
    ])('%s, for both programs', async (_, conf, details) => {
      for (const program of ['calico', 'calico-ipam'] as const) {
        const json = await refusal(conf, { program });
        expect(json).toMatchObject({ ...full, details: expect.stringMatching(details) });
      }
      await writePool(node.etcd, 'six', 'fd00:9::/112');
      succeeded(await status(conf));
    });

    it('in pools that select the node', async () => {
      await writePool(node.etcd, 'default-ipv4-ippool', '192.168.0.0/16', { nodeSelector: 'rack == "2"' });
      expect(await refusal()).toMatchObject({
        ...full,
        details: expect.stringContaining('no configured Calico pools for node node1'),
      });
    });

    it('in a pool of one block: free, held by pods, borrowed, and free again', async () => {
      await writePool(node.etcd, 'default-ipv4-ippool', '192.168.0.0/30', { blockSize: 30 });
      const conf = { cniVersion: '1.1.0' };
      const ids = ['c0', 'c1', 'c2', 'c3'];
      const call = (containerId: string): CniTestCall => ({
        program: 'calico-ipam',
        containerId,
        netns: '/none',
        conf,
      });
      for (const [i, id] of ids.entries()) {
        succeeded(await status());
        if (i === 3) succeeded(await status({ nodename: 'node2' }));
        succeeded(await node.cni('ADD', call(id)));
      }
      expect(await refusal()).toMatchObject({
        ...full,
        details: expect.stringContaining('No IPs available in pools'),
      });
      expect(await refusal({ nodename: 'node2' })).toMatchObject(full);
      succeeded(await node.cni('DEL', call('c0')));
      succeeded(await status());
      await node.etcd.put('/calico/ipam/v2/config', '{"StrictAffinity":true,"AutoAllocateBlocks":true}');
      succeeded(await status());
      expect(await refusal({ nodename: 'node2' })).toMatchObject(full);
    });
  });

  describe('asks the readiness gates', () => {
    async function gate(code: number): Promise<string> {
      const server = createServer((_, response) => response.writeHead(code).end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const address = server.address();
      return `http://user:secret@127.0.0.1:${typeof address === 'object' ? address?.port : ''}/ready`;
    }

    it('once, and names those that are closed without their credentials', async () => {
      const [open, closed] = [await gate(200), await gate(503)];
      succeeded(await status({ readiness_gates: [open] }));
      const json = await refusal({ readiness_gates: [open, closed] });
      expect(json).toMatchObject({
        code: 50,
        msg: expect.stringMatching(
          /^readiness gate is not ready: http:\/\/127\.0\.0\.1:\d+\/ready: it answers 503/,
        ),
      });
      expect(JSON.stringify(json)).not.toContain('secret');
    });
  });

  describe('asks the Kubernetes API', () => {
    const conf = (server: string) => {
      const kubeconfig = fake.kubeconfigWith(
        { server, 'certificate-authority': fake.pki().ca.cert },
        { token: 'a.secret.token' },
      );
      return { policy: { type: 'k8s' }, kubernetes: { kubeconfig } };
    };

    it.each([
      [200, undefined],
      [401, 50],
      [403, 50],
      [500, 50],
    ])('whose answer %d is %s', async (answer, code) => {
      const server = await fake.serve((_, response) =>
        response.writeHead(answer, { 'content-type': 'application/json' }).end('{"gitVersion":"v1.34.2"}'),
      );
      for (const program of ['calico', 'calico-ipam'] as const) {
        const { json } = await status(conf(server), { program });
        expect(json?.code).toBe(code);
        expect(JSON.stringify(json ?? {})).not.toContain('a.secret.token');
      }
    });
  });

  describe('asks the plugins it needs', () => {
    it('host-local, which has no STATUS and so is ready', async () => {
      succeeded(await status({ ipam: { type: 'host-local', ranges: [[{ subnet: '10.4.0.0/24' }]] } }));
    });

    it.each([
      [50, 50],
      [51, 51],
      [11, 50],
    ])('one that answers %d, as %d', async (code, ours) => {
      writeFileSync(join(folder, 'busy'), `#!/bin/sh\nprintf '{"code": ${code}, "msg": "busy"}'; exit 1\n`, {
        mode: 0o755,
      });
      const more = { env: { CNI_PATH: folder } };
      expect(await refusal({ ipam: { type: 'busy' } }, more)).toMatchObject({ code: ours, msg: 'busy' });
    });

    it('a dataplane: when it is away, running pods may be cut off', async () => {
      const dataplane_options = { type: 'grpc', socket: `unix://${folder}/dataplane.sock` };
      expect(await refusal({ dataplane_options })).toMatchObject({
        code: 51,
        msg: expect.stringContaining('dataplane.sock cannot be reached'),
      });
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(`${folder}/dataplane.sock`, resolve));
      onTestFinished(() => void server.close());
      succeeded(await status({ dataplane_options }));
    });
  });

  it('through cnitool', async () => {
    const plugin = node.conf({ cniVersion: undefined, name: undefined });
    const conflist = { name: 'net', cniVersion: '1.1.0', plugins: [plugin] };
    writeFileSync(join(folder, 'net.conflist'), JSON.stringify(conflist));
    const call = { confFolder: folder, network: 'net', netnsPath: node.host.path, host: node.host.name };
    const ready = await cnitool('status', call);
    expect(ready.exitCode, ready.stdout + ready.stderr).toBe(0);
    await writeCluster(node.etcd, { datastoreReady: false });
    const refused = await cnitool('status', call);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('Calico is currently not ready to process requests');
  });
});
