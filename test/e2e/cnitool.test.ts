/** Through cnitool, the reference runtime: every version of the specification, and chains of plugins. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { cnitool } from '../support/cnitool.ts';
import { whyNoNetns } from '../support/netns.ts';
import { output } from '../support/run.ts';
import { dumpCalico, leftovers, type SimulatedNode, startNode } from '../support/simulated-node.ts';

const why = whyNoNetns();
const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

describe.skipIf(why !== undefined)(`cnitool${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let confFolder: string;

  beforeAll(async () => {
    node = await startNode();
    await writeCluster(node.etcd);
    confFolder = mkdtempSync(join(tmpdir(), 'conf-'));
  });
  afterAll(async () => {
    rmSync(confFolder, { recursive: true });
    await node.stop();
  });

  afterEach(async () => {
    expect(await leftovers(node)).toEqual([]);
  });

  /** Writes a conflist and returns the name of its network. */
  function network(name: string, cniVersion: string, plugins: readonly object[]): string {
    writeFileSync(join(confFolder, `${name}.conflist`), JSON.stringify({ name, cniVersion, plugins }));
    return name;
  }

  const calls = (name: string) => {
    const sandbox = node.makePod();
    const call = { confFolder, network: name, netnsPath: sandbox.path, host: node.host.name };
    return { sandbox, run: (command: 'add' | 'del') => cnitool(command, call) };
  };

  it.each(VERSIONS)(
    'networks a pod with a configuration of version %s, and takes it away',
    async (cniVersion) => {
      const name = network(`net-${cniVersion}`, cniVersion, [
        node.conf({ cniVersion: undefined, name: undefined }),
      ]);
      const { sandbox, run } = calls(name);
      const added = await run('add');
      expect(added.stderr.replace(/^.*\[INFO\].*$/gm, '').trim()).toBe('');
      expect(added.exitCode).toBe(0);
      const result = JSON.parse(added.stdout);
      expect(result.cniVersion).toBe(cniVersion);
      const address: string = result.ips?.[0].address ?? result.ip4.ip;
      expect(sandbox.sh('ip -br -4 address show eth0')).toContain(address);
      expect((await run('del')).exitCode).toBe(0);
      expect(sandbox.sh('ip -o link')).not.toContain('eth0');
      expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('/handle/'))).toEqual([]);
    },
  );

  it.each([
    ['0.3.1', '1.1.0'],
    ['0.4.0', '1.0.0'],
    ['0.4.0', '1.1.0'],
    ['1.1.0', '0.4.0'],
  ])('takes away what version %s of the configuration made when it has become %s', async (before, after) => {
    const plugins = [node.conf({ cniVersion: undefined, name: undefined })];
    const name = network(`upgraded-${before}-${after}`, before, plugins);
    const { sandbox, run } = calls(name);
    expect((await run('add')).exitCode).toBe(0);
    network(name, after, plugins);
    expect(await run('del')).toMatchObject({ exitCode: 0, stdout: '' });
    expect(sandbox.sh('ip -o link')).not.toContain('eth0');
  });

  // Before 0.3.0 there are no chains, and Debian's reference plugins do not know 1.1.0.
  it.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0'])(
    'feeds bandwidth, which follows it in a chain of version %s',
    async (version) => {
      const name = network(`chained-${version}`, version, [
        node.conf({ cniVersion: undefined, name: undefined }),
        {
          type: 'bandwidth',
          ingressRate: 8_000_000,
          ingressBurst: 8_000_000,
          egressRate: 8_000_000,
          egressBurst: 8_000_000,
        },
      ]);
      const { sandbox, run } = calls(name);
      const added = await run('add');
      expect(added.stderr.replace(/^.*\[INFO\].*$/gm, '').trim()).toBe('');
      const { interfaces } = JSON.parse(added.stdout);
      const host = interfaces[0].name;
      expect(node.host.sh(`tc qdisc show dev ${host}`)).toContain('tbf');
      expect((await run('del')).exitCode).toBe(0);
      expect(sandbox.sh('ip -o link')).not.toContain('eth0');
    },
  );

  it('gives addresses to another main plugin as its calico-ipam', async () => {
    const ipam = node.conf({ cniVersion: undefined, name: undefined, type: 'bridge', bridge: 'br0' });
    const name = network('bridge-net', '1.0.0', [ipam]);
    const { sandbox, run } = calls(name);
    const added = await run('add');
    expect(added.exitCode, added.stdout + added.stderr).toBe(0);
    const [{ address }] = JSON.parse(added.stdout).ips;
    expect(address).toMatch(/^192\.168\.166\.\d+\/26$/);
    expect(sandbox.sh('ip -br -4 address show eth0')).toContain(address);
    const handles = [...(await dumpCalico(node)).keys()].filter((key) => key.includes('/handle/'));
    expect(handles).toEqual([expect.stringContaining('/handle/bridge-net.cnitool-')]);
    expect((await run('del')).exitCode).toBe(0);
    expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('/handle/'))).toEqual([]);
  });

  it('lets another IPAM plugin give the addresses', async () => {
    const ipam = {
      type: 'host-local',
      ranges: [[{ subnet: '10.44.0.0/24' }]],
      dataDir: join(confFolder, 'host-local'),
    };
    const name = network('delegated', '1.0.0', [node.conf({ cniVersion: undefined, name: undefined, ipam })]);
    const { sandbox, run } = calls(name);
    const first = await run('add');
    expect(first.exitCode, first.stdout + first.stderr).toBe(0);
    const [{ address }] = JSON.parse(first.stdout).ips;
    expect(address).toMatch(/^10\.44\.0\.\d+\/32$/);
    expect(sandbox.sh('ip -br -4 address show eth0')).toContain(address);
    const keys = [...(await dumpCalico(node)).keys()];
    expect(keys.filter((key) => key.includes('/handle/'))).toEqual([]);
    expect(keys.some((key) => key.includes('workloadendpoints/default/node1-cni-cnitool--'))).toBe(true);

    const again = await run('add');
    expect(JSON.parse(again.stdout).ips).toEqual(JSON.parse(first.stdout).ips);
    expect((await output(['ls', join(confFolder, 'host-local/delegated')])).match(/10\.44/g)).toHaveLength(1);
    expect((await run('del')).exitCode).toBe(0);
    expect(await output(['ls', join(confFolder, 'host-local/delegated')])).not.toMatch(/^10\.44/m);
  });

  it('shows the error of a delegated plugin as it came, after undoing it', async () => {
    const ipam = { type: 'host-local', ranges: [[{ subnet: 'nonsense' }]] };
    const name = network('broken', '1.0.0', [node.conf({ cniVersion: undefined, name: undefined, ipam })]);
    const { sandbox, run } = calls(name);
    const answer = await run('add');
    expect(answer.exitCode).not.toBe(0);
    expect(answer.stdout + answer.stderr).toContain('nonsense');
    expect(sandbox.sh('ip -o link')).not.toContain('eth0');
    expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('workloadendpoints'))).toEqual(
      [],
    );
  });
});
