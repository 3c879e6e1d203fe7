/** Ways to an etcd that is not simply there: found in the DNS, or with users who may do only what they must. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { startNameServer } from '../support/name-server.ts';
import { moveTo, whyNoNetns } from '../support/netns.ts';
import {
  type CniTestCall,
  dumpCalico,
  leftovers,
  NETWORK,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`ways to etcd${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let folder = '';
  let count = 0;

  beforeAll(async () => {
    node = await startNode();
    folder = mkdtempSync(join(tmpdir(), 'access-'));
    await writeCluster(node.etcd);
  });
  afterAll(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });

  const newCall = (call: Partial<CniTestCall> = {}): CniTestCall => {
    count += 1;
    return { containerId: `access${count}`.padEnd(16, '0'), netns: node.makePod().path, ...call };
  };

  describe('through SRV records', () => {
    const records = {
      '_etcd-client._tcp.example.com': [
        { priority: 1, port: 9, target: 'dead.example.com' },
        { priority: 2, port: 2379, target: 'etcd.example.com' },
      ],
    };
    const addresses = { 'dead.example.com': '127.0.0.1', 'etcd.example.com': '127.0.0.1' };

    /** A call that sees another /etc/resolv.conf, on a node with a name server. */
    async function callIn(domain: string) {
      const resolvConf = join(folder, 'resolv.conf');
      writeFileSync(resolvConf, 'nameserver 127.0.0.1\n');
      using _moved = moveTo(node.host);
      await startNameServer(records, { addresses, port: 53 });
      const script = `mount --bind ${resolvConf} /etc/resolv.conf && exec "$@"`;
      return newCall({
        under: ['unshare', '--mount', 'sh', '-c', script, 'sh'],
        conf: { etcd_endpoints: '', etcd_discovery_srv: domain },
      });
    }

    it('networks a pod, and names the endpoint that is dead', async () => {
      const call = await callIn('example.com');
      const added = succeeded(await node.cni('ADD', call));
      expect(added.stderr).toMatch(
        /\[WARNING\].* an etcd endpoint does not serve us: asking another endpoint="http:\/\/dead\.example\.com:9" error="connect ECONNREFUSED/,
      );
      succeeded(await node.cni('DEL', call));
      expect(await leftovers(node)).toEqual([]);
    });

    it('names the domain and the records when there are none', async () => {
      const { json, exitCode } = await node.cni('ADD', await callIn('nowhere.example'));
      expect(exitCode).toBe(1);
      expect(json).toMatchObject({
        code: 11,
        msg: 'failed to discover etcd endpoints through SRV discovery: no SRV records _etcd-client-ssl._tcp.nowhere.example or _etcd-client._tcp.nowhere.example',
        details: expect.stringContaining('etcd_discovery_srv'),
      });
    });
  });

  describe('as a user with a role for /calico/ alone', () => {
    const ROOT = { name: 'root', password: 'toor-9f1c' };
    const CALICO = { name: 'calico', password: 'pass-4b7e"§' };
    const env = { ETCD_USERNAME: CALICO.name, ETCD_PASSWORD: CALICO.password };

    beforeAll(async () => {
      const { admin } = node.etcd;
      const base64 = (text: string) => Buffer.from(text).toString('base64');
      const perm = { permType: 'READWRITE', key: base64('/calico/'), range_end: base64('/calico0') };
      await admin('auth/role/add', { name: 'calico' });
      await admin('auth/role/grant', { name: 'calico', perm });
      for (const user of [ROOT, CALICO]) await admin('auth/user/add', user);
      await admin('auth/user/grant', { user: 'root', role: 'root' });
      await admin('auth/user/grant', { user: 'calico', role: 'calico' });
      await admin('auth/enable', {});
    });
    afterAll(() => node.etcd.admin('auth/disable', {}, ROOT));

    it('does everything, and never tells the password, also when it is wrong', async () => {
      const log = join(folder, 'cni.log');
      const secrets = { log_level: 'debug', log_file_path: log, policy: { k8s_auth_token: 'token-77aa' } };
      const call = newCall({ env, conf: secrets });
      const answers = [
        await node.cni('STATUS', { ...call, conf: { ...secrets, cniVersion: '1.1.0' } }),
        await node.cni('ADD', call),
      ];
      const prevResult = answers[1]?.json;
      answers.push(
        await node.cni('CHECK', { ...call, conf: { ...secrets, prevResult } }),
        await node.cni('DEL', call),
        await node.cni('GC', {
          ...call,
          conf: { ...secrets, cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] },
        }),
        await node.cni('ADD', { ...call, program: 'calico-ipam' }),
        await node.cni('DEL', { ...call, program: 'calico-ipam' }),
      );
      for (const answer of answers) succeeded(answer);
      const wrong = await node.cni('ADD', { ...call, env: { ...env, ETCD_PASSWORD: 'wrong-1d1d' } });
      expect(wrong.json).toMatchObject({
        code: 104,
        msg: expect.stringContaining('did not accept the user name or password of user "calico"'),
      });
      const unlucky = [
        await node.cni('ADD', { ...call, conf: { ...secrets, etcd_endpoints: 'http://127.0.0.1:9' } }),
        await node.cni('ADD', { ...call, conf: { ...secrets, mtu: 'large' } }),
        await node.cni('ADD', {
          ...call,
          conf: { ...secrets, etcd_endpoints: 'http://calico:pass-4b7e@127.0.0.1:9' },
        }),
        await node.cni('ADD', {
          ...call,
          conf: { ...secrets, readiness_gates: ['http://u:gate-5e5e@127.0.0.1:9/'] },
          timeoutMs: 3_000,
        }),
        await node.cni('ADD', { ...call, conf: { ...secrets, ipam: { type: 'nowhere' } } }),
        await node.cni('ADD', {
          ...call,
          conf: {
            ...secrets,
            policy: { type: 'k8s', k8s_auth_token: 'token-77aa', k8s_api_root: 'https://127.0.0.1:9' },
          },
          args: 'K8S_POD_NAMESPACE=a;K8S_POD_NAME=b',
        }),
        await node.cni('ADD', { ...call, conf: { ...secrets, policy: { k8s_auth_token: ['token-77aa'] } } }),
      ];
      for (const { exitCode } of unlucky) expect(exitCode).not.toBe(0);
      const all = [...answers, wrong, ...unlucky].flatMap(({ stdout, stderr }) => [stdout, stderr]);
      const text = [...all, readFileSync(log, 'utf8')].join('\n');
      expect(text).toContain('[DEBUG]');
      expect(text).not.toMatch(/pass-4b7e|wrong-1d1d|token-77aa|gate-5e5e/);
    });

    it('writes one line for each event, with container, pod, node and duration', async () => {
      const call = newCall({ env, args: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1' });
      const { stderr } = succeeded(await node.cni('ADD', call));
      expect(stderr).toMatch(
        new RegExp(
          `\\[INFO\\]\\[\\d+\\] networked the container addresses="[^"]+" .*milliseconds="\\d+" command="ADD" container="${call.containerId}" interface="eth0" pod="default/web-1" node="node1"`,
        ),
      );
      succeeded(await node.cni('DEL', call));
      const refused = await node.cni('ADD', { ...call, env: {} });
      expect(refused.stderr).toMatch(
        /\[ERROR\]\[\d+\] ADD failed error="etcd at .* wants a user name and password.*" code="104" milliseconds="\d+" command="ADD" .*pod="default\/web-1"/,
      );
    });

    it('says that hostname is an old name', async () => {
      const call = newCall({ env, conf: { nodename: undefined, hostname: 'node1' } });
      const { stderr } = await node.cni('DEL', call);
      expect(stderr).toContain('[WARNING]');
      expect(stderr).toContain("Configuration option 'hostname' is deprecated, use 'nodename' instead");
    });
  });

  it('leaves nothing', async () => {
    expect(await leftovers(node)).toEqual([]);
    expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes(`/handle/${NETWORK}`))).toEqual(
      [],
    );
  });
});
