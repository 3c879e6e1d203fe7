/**
 * Throw-away network namespaces for kernel tests: one that plays the host, and pods. A test file's thread
 * moves into the host namespace, so nothing it does touches the machine's own network.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { inNetns, openNetns } from '../../src/network/netns.ts';

let count = 0;

/** Why kernel tests cannot run here; `undefined` when they can. */
export function whyNoKernelTests(): string | undefined {
  if (process.platform !== 'linux') return 'kernel tests need Linux';
  if (process.getuid?.() !== 0) return 'kernel tests need root';
  const probe = spawnSync('ip', ['netns', 'list']);
  return probe.status === 0 ? undefined : 'kernel tests need the ip command and network namespaces';
}

export interface TestNetns extends Disposable {
  readonly name: string;
  readonly path: string;
  /** Runs a shell line in the namespace and gives its output; throws with its stderr when it fails. */
  sh(line: string): string;
  /** Whether one ping to the address is answered within a second. */
  pings(address: string): boolean;
  delete(): void;
}

/** Makes a namespace with a unique name; `using` deletes it. */
export function makeNetns(role: 'host' | 'pod'): TestNetns {
  count += 1;
  const name = `cnitest-${process.pid}-${role}${count}`;
  execFileSync('ip', ['netns', 'add', name]);
  const remove = () => {
    spawnSync('ip', ['netns', 'del', name]);
  };
  const exec = (argv: readonly string[]) =>
    spawnSync('ip', ['netns', 'exec', name, ...argv], { encoding: 'utf8' });
  return {
    name,
    path: `/var/run/netns/${name}`,
    sh: (line) => {
      const { status, stdout, stderr } = exec(['sh', '-ec', line]);
      if (status !== 0) throw new Error(`${name}# ${line}\n${stderr}${stdout}`);
      return stdout.trim();
    },
    pings: (address) => exec(['ping', '-n', '-c', '1', '-W', '1', address]).status === 0,
    delete: remove,
    [Symbol.dispose]: remove,
  };
}

/** A namespace as a node has it: loopback, one interface with an address, and forwarding; no default route. */
export function makeHost(): TestNetns {
  const host = makeNetns('host');
  host.sh(`
    ip link set lo up
    ip link add name uplink type veth peer name switch
    ip link set switch up; ip link set uplink up
    ip addr add 192.0.2.1/24 dev uplink
    ip -6 addr add 2001:db8::1/64 dev uplink nodad
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
  `);
  return host;
}

/** Runs a synchronous function with the calling thread in the namespace. */
export function within<T>(netns: TestNetns, run: () => T): T {
  using open = openNetns(netns.path);
  return inNetns(open, run);
}
