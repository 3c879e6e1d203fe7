/** Looks at a host: nothing of it is changed. */

import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNotWritable } from '../../../install/observe-host.ts';
import { openNetlinkSocket } from '../../../network/netlink/socket.ts';
import type { FelixSettings } from '../../../node/felix-settings.ts';
import { readLinks, type SeenLink } from '../../../node/kernel/read-parts.ts';
import { findOtherAgents } from '../../../node/kernel/surroundings.ts';
import type { PortUser, Switch, SystemFacts } from './system-facts.ts';
import { tryKernel } from './try-kernel.ts';

/** What the agent and the plugin write to, or decide by. */
export const SWITCHES = {
  forwarding: 'net/ipv4/ip_forward',
  rpFilter: 'net/ipv4/conf/all/rp_filter',
  conntrackUsed: 'net/netfilter/nf_conntrack_count',
  conntrackMost: 'net/netfilter/nf_conntrack_max',
} as const;

const FOLDERS = ['/var/lib/calico', '/var/run/calico', '/var/log/calico', '/opt/cni/bin', '/etc/cni/net.d'];
const NETWORK_MANAGER_FOLDERS = [
  '/etc/NetworkManager/conf.d',
  '/run/NetworkManager/conf.d',
  '/usr/lib/NetworkManager/conf.d',
];
/** Bits of CapEff, capabilities(7). */
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

export async function observeSystem(
  settings: Pick<FelixSettings, 'vxlanPort' | 'mtuIfacePattern'>,
): Promise<SystemFacts> {
  const { isFelixRunning, isBirdRunning } = findOtherAgents();
  const programs = runningPrograms();
  const links = seenLinks();
  const trials = tryKernel();
  const switches = new Map(Object.values(SWITCHES).map((key) => [key, observeSwitch(key)]));
  return {
    kernelRelease: read('/proc/sys/kernel/osrelease') ?? '',
    capabilities: { netAdmin: hasCapability(CAP_NET_ADMIN), sysAdmin: hasCapability(CAP_SYS_ADMIN) },
    ...{ trials, switches },
    vxlanPort: { number: settings.vxlanPort, usedBy: await userOf(settings.vxlanPort, links) },
    runs: {
      ...{ felix: isFelixRunning, bird: isBirdRunning },
      ...{ networkManager: programs.has('NetworkManager'), firewalld: programs.has('firewalld') },
    },
    isUnmanaged: NETWORK_MANAGER_FOLDERS.some(leavesOursAlone),
    folders: FOLDERS.map((path) => ({ path, refusal: whyNotWritable(path, true) })),
    parents: links
      .filter(({ name }) => settings.mtuIfacePattern.test(name))
      .map(({ name, mtu = 0, isUp }) => ({ name, mtu, isUp, rpFilter: rpFilterOf(name) })),
    conntrack: conntrackOf(switches),
  };
}

function seenLinks(): readonly SeenLink[] {
  using socket = openNetlinkSocket();
  return readLinks(socket);
}

function observeSwitch(key: string): Switch {
  const path = join('/proc/sys', key);
  const value = read(path);
  try {
    accessSync(path, constants.W_OK);
    return { value, isWritable: true };
  } catch {
    return { value, isWritable: false };
  }
}

function rpFilterOf(name: string): number {
  return Number(read(`/proc/sys/net/ipv4/conf/${name}/rp_filter`) ?? 0);
}

function conntrackOf(switches: ReadonlyMap<string, Switch>): SystemFacts['conntrack'] {
  const [used, most] = [SWITCHES.conntrackUsed, SWITCHES.conntrackMost].map(
    (key) => switches.get(key)?.value,
  );
  return used === undefined || most === undefined ? undefined : { used: Number(used), most: Number(most) };
}

/** A socket of the kernel's own, as VXLAN has it, takes the port as any other does. */
async function userOf(port: number, links: readonly SeenLink[]): Promise<PortUser> {
  if (await isFree(port)) return { is: 'nobody' };
  const device = links.find(({ vxlan }) => vxlan?.port === port);
  return device === undefined ? { is: 'program' } : { is: 'device', name: device.name };
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = process.getBuiltinModule('node:dgram').createSocket('udp4');
  socket.on('error', () => resolve(false));
  socket.bind({ port, exclusive: true }, () => resolve(true));
  return promise.finally(() => socket.close());
}

function hasCapability(bit: bigint): boolean {
  const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status') ?? '') ?? [];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> bit) & 1n) === 1n;
}

/** By the names that the kernel has for them. */
function runningPrograms(): ReadonlySet<string> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Set(pids.map((pid) => read(`/proc/${pid}/comm`) ?? ''));
}

function leavesOursAlone(folder: string): boolean {
  return namesIn(folder).some((name) => {
    const text = read(join(folder, name)) ?? '';
    return /unmanaged-devices|managed\s*=\s*0/.test(text) && text.includes('cali');
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
