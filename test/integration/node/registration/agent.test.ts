/** The agent on a real etcd: what it writes, what it refuses, and what becomes of it when etcd or somebody else acts. */

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tryParseIpNetwork } from '../../../../src/base/cidr.ts';
import { createInterrupter } from '../../../../src/base/interruption.ts';
import { createLog } from '../../../../src/base/log.ts';
import { systemRandom } from '../../../../src/base/system-random.ts';
import { openEtcd } from '../../../../src/datastore/open-etcd.ts';
import { runAgent } from '../../../../src/node/agent.ts';
import type { ClusterState } from '../../../../src/node/cluster.ts';
import type { HostInterfaces } from '../../../../src/node/registration/detect-address.ts';
import { readRegistrationSettings } from '../../../../src/node/registration/registration-settings.ts';
import { deadline, realClock } from '../../../support/clock.ts';
import { writeCluster, writePool } from '../../../support/cluster.ts';
import { type Etcd, startEtcd } from '../../../support/etcd.ts';

const NODES = '/calico/resources/v3/projectcalico.org/nodes/';

let etcd: Etcd;
let folder: string;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());
beforeEach(async () => {
  await etcd.wipe();
  folder = mkdtempSync(join(tmpdir(), 'agent-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function host(...texts: readonly string[]): HostInterfaces {
  const addresses = texts.map((text) => {
    const network = tryParseIpNetwork(text);
    if (network === undefined) throw new Error(text);
    return { ifIndex: 2, network };
  });
  return { links: [{ name: 'eth0', ifIndex: 2 }], addresses };
}

interface Start {
  readonly nodeName?: string;
  readonly identity?: string;
  readonly own?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function start({
  nodeName = 'node1',
  identity = 'host A',
  own = '10.50.0.11/24',
  env = {},
}: Start = {}) {
  const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
  const settings = {
    type: 'etcdv3' as const,
    endpoints: [etcd.endpoint],
    user: undefined,
    discoverySrv: undefined,
  };
  const clock = realClock;
  const datastore = await openEtcd(
    { ...settings, ...files },
    { clock, deadline: deadline(), random: Math.random },
  );
  const { interruption, interrupt } = createInterrupter();
  const lines: string[] = [];
  const states: ClusterState[] = [];
  const readiness = Promise.withResolvers<void>();
  let interfaces = host(own);
  const nameFile = join(folder, nodeName, 'nodename');
  const agent = runAgent(
    {
      ...{ nodeName, identity, hostname: `host of ${identity}`, felixOverrides: {}, claimSeconds: 3 },
      registration: readRegistrationSettings({
        CALICO_NODENAME_FILE: nameFile,
        AUTODETECT_POLL_INTERVAL: '500ms',
        ...env,
      }),
    },
    {
      ...{ ...datastore, clock, random: systemRandom, interruption },
      log: createLog({
        level: 'debug',
        pid: 1,
        nowNs: clock.nowNs,
        write: (line) => void lines.push(line),
        context: {},
      }),
      readInterfaces: () => interfaces,
      sourceAddress: async () => undefined,
      internalAddresses: undefined,
    },
    { ready: readiness.promise, onEvent: () => undefined, onCluster: (state) => void states.push(state) },
  );
  agent.catch(() => undefined);
  const stop = async () => {
    interrupt('SIGTERM');
    await agent.catch(() => undefined);
    await datastore.close();
  };
  onTestFinished(stop);
  const changeAddress = (text: string) => {
    interfaces = host(text);
  };
  return { agent, lines, states, stop, nameFile, changeAddress, letIn: readiness.resolve };
}

const spec = async (nodeName = 'node1') =>
  JSON.parse((await etcd.get(`${NODES}${nodeName}`)) ?? '{}').spec ?? {};

async function until(holds: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  for (const endMs = performance.now() + seconds * 1e3; !(await holds()); await sleep(20)) {
    if (performance.now() > endMs) throw new Error(`it never came to this: ${holds}`);
  }
}

describe('the agent', () => {
  it('registers its host in an empty cluster, and lets plugins in when it is ready', async () => {
    const { states, nameFile, letIn } = await start({
      env: {
        CALICO_IPV4POOL_CIDR: '10.77.0.0/16',
        CALICO_IPV4POOL_VXLAN: 'Always',
        CALICO_IPV4POOL_BLOCK_SIZE: '28',
      },
    });
    await until(() => states.length > 0);
    expect(await spec()).toMatchObject({
      bgp: { ipv4Address: '10.50.0.11/24' },
      ipv4VXLANTunnelAddr: /^10\.77\./,
    });
    expect(states[0]?.nodes.get('node1')?.families[4].vxlanAddress).toBeDefined();
    expect(states[0]?.isDatastoreReady).toBe(true);
    expect(existsSync(nameFile)).toBe(false);
    letIn();
    await until(() => existsSync(nameFile));
    expect(readFileSync(nameFile)).toEqual(Buffer.from('node1'));
    expect(statSync(nameFile).mode & 0o777).toBe(0o644);
  });

  it('writes nothing when it begins again', async () => {
    await writeCluster(etcd, { pools: {} });
    await writePool(etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'Always' });
    const first = await start();
    await until(() => first.states.length > 0);
    await first.stop();
    const before = await etcd.list('/calico/');
    const second = await start();
    await until(() => second.states.length > 0);
    expect(new Map([...(await etcd.list('/calico/'))].filter(([key]) => !key.includes('/claims/')))).toEqual(
      before,
    );
  });

  it('follows its own address, pools, and edits of its Node', async () => {
    await writeCluster(etcd, { pools: {} });
    const { states, changeAddress } = await start({ env: { IP: 'autodetect' } });
    await until(() => states.length > 0);
    changeAddress('10.60.0.5/16');
    await until(async () => (await spec()).bgp?.ipv4Address === '10.60.0.5/16');
    await writePool(etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'CrossSubnet' });
    await until(async () => (await spec()).ipv4VXLANTunnelAddr !== undefined);
    const { ipv4VXLANTunnelAddr, ...rest } = await spec();
    await etcd.put(
      `${NODES}node1`,
      JSON.stringify({ metadata: { name: 'node1', labels: { a: 'b' } }, spec: rest }),
    );
    await until(async () => (await spec()).ipv4VXLANTunnelAddr === ipv4VXLANTunnelAddr);
    expect(JSON.parse((await etcd.get(`${NODES}node1`)) ?? '{}').metadata.labels).toEqual({ a: 'b' });
    await writePool(etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'Never' });
    await until(async () => (await spec()).ipv4VXLANTunnelAddr === undefined);
    expect([...(await etcd.list('/calico/ipam/v2/handle/')).keys()]).toEqual([]);
  });

  it('refuses an address that another node has, and writes no Node', async () => {
    await etcd.put(`${NODES}node2`, JSON.stringify({ spec: { bgp: { ipv4Address: '10.50.0.11/24' } } }));
    const { agent } = await start();
    await expect(agent).rejects.toMatchObject({
      kind: 'conflict',
      message: "Calico node 'node2' is already using the IPv4 address 10.50.0.11",
    });
    expect(await etcd.get(`${NODES}node1`)).toBeUndefined();
  });

  it('works on when its tunnel can have no address', async () => {
    await writeCluster(etcd, { pools: {} });
    await writePool(etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'Always', nodeSelector: 'has(' });
    const { states, lines } = await start();
    await until(() => states.length > 0);
    expect(lines.join('')).toContain('no tunnel address');
    await writePool(etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'Always' });
    await until(async () => (await spec()).ipv4VXLANTunnelAddr !== undefined);
  });

  it('waits for an etcd that is not there yet, and goes on when it is back', async () => {
    await etcd.crash();
    const starting = start();
    await sleep(500);
    await etcd.restart();
    const { states } = await starting;
    await until(() => states.length > 0, 20);
    await etcd.crash();
    await sleep(300);
    const count = states.length;
    await etcd.restart();
    await writePool(etcd, 'later', '10.78.0.0/16');
    await until(() => states.at(-1)?.pools.has('later') === true, 20);
    expect(states.slice(count).every(({ nodes }) => nodes.has('node1'))).toBe(true);
  });
});

describe('two agents with one node name', () => {
  it('the second is refused, by name, and changes nothing', async () => {
    await writeCluster(etcd);
    const first = await start();
    await until(() => first.states.length > 0);
    const second = await start({ identity: 'host B', own: '10.50.0.12/24', env: { IP: 'autodetect' } });
    await expect(second.agent).rejects.toMatchObject({
      kind: 'conflict',
      message: /^another host has the node name "node1": host of host A, since /,
    });
    expect((await spec()).bgp).toEqual({ ipv4Address: '10.50.0.11/24' });
    expect(first.lines.join('')).not.toContain('ERROR');
  }, 60_000);

  it('the second takes over at once from one that ended in good order', async () => {
    await writeCluster(etcd);
    const first = await start();
    await until(() => first.states.length > 0);
    await first.stop();
    const second = await start({ identity: 'host B', own: '10.50.0.12/24', env: { IP: 'autodetect' } });
    await until(() => second.states.length > 0);
    expect((await spec()).bgp).toEqual({ ipv4Address: '10.50.0.12/24' });
  });

  it('the same host begins again at once, however it ended', async () => {
    await writeCluster(etcd);
    const first = await start();
    await until(() => first.states.length > 0);
    const second = await start();
    await until(() => second.states.length > 0);
  });
});
