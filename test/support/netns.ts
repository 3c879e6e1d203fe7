/**
 * Throw-away network namespaces for kernel tests: one that plays the host, and pods. The test's thread
 * moves into the host's, so nothing a test does touches the machine's own network.
 */

import { spawnSync } from 'node:child_process';
import { setNetworkNamespace } from '../../src/network/native.ts';
import { openNetns, ownNetns } from '../../src/network/netns.ts';
import { findTool, requireTool, toolPath, whyNotRoot } from './tools.ts';

/** Why kernel tests cannot run here; `undefined` when they can. */
export function whyNoNetns(): string | undefined {
  if (whyNotRoot() !== undefined) return whyNotRoot();
  return findTool('ip') === undefined ? 'needs the ip command (iproute2)' : undefined;
}

export interface TestNetns extends Disposable {
  readonly name: string;
  readonly path: string;
  /** Runs shell lines in the namespace and gives their output; throws with stderr when one fails. */
  sh(lines: string): string;
  /** The addresses that answer from here within a second: they refuse a connection or take it. */
  reached(addresses: readonly string[]): readonly string[];
  /** Unmounts the name; success when it is gone. */
  delete(): void;
}

export interface Lab extends Disposable {
  readonly host: TestNetns;
  readonly pod: TestNetns;
}

let count = 0;

/** A namespace with a unique name. */
export function makeNetns(role: string): TestNetns {
  count += 1;
  const name = `cnitest-${process.pid}-${role}${count}`;
  const remove = () => {
    spawnSync(requireTool('ip'), ['netns', 'del', name]);
  };
  const run = (argv: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(requireTool('ip'), argv, {
      encoding: 'utf8',
      env: { PATH: toolPath() },
    });
    if (status !== 0) throw new Error(`ip ${argv.join(' ')}\n${stderr}${stdout}`);
    return stdout.trim();
  };
  run(['netns', 'add', name]);
  return {
    name,
    path: `/var/run/netns/${name}`,
    sh: (lines) => run(['netns', 'exec', name, 'sh', '-ec', lines]),
    reached: (addresses) =>
      JSON.parse(run(['netns', 'exec', name, process.execPath, '-e', PROBE, ...addresses])),
    delete: remove,
    [Symbol.dispose]: remove,
  };
}

/** Connects to a port nobody listens on: a reachable machine refuses, an unreachable one is silent. */
const PROBE = `
  const answers = (host) => new Promise((resolve) => {
    const socket = require('node:net').connect({ host, port: 9 });
    const end = (answered) => { socket.destroy(); resolve(answered ? [host] : []); };
    socket.setTimeout(1000, () => end(false));
    socket.on('connect', () => end(true));
    socket.on('error', (error) => end(error.code === 'ECONNREFUSED'));
  });
  Promise.all(process.argv.slice(1).map(answers)).then((all) => console.log(JSON.stringify(all.flat())));
`;

/**
 * A host with two addresses (192.0.2.1, 2001:db8::1) and forwarding, and an empty sandbox beside it. The
 * calling thread is in the host until the lab is disposed of.
 */
export function makeLab({ hasDefaultRoute = false } = {}): Lab {
  const stack = new DisposableStack();
  try {
    const host = stack.use(makeNetns('host'));
    const pod = stack.use(makeNetns('pod'));
    host.sh(hostSetUp(hasDefaultRoute));
    stack.use(moveTo(host));
    return { host, pod, [Symbol.dispose]: () => stack.dispose() };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

function hostSetUp(hasDefaultRoute: boolean): string {
  return `
    ip link set lo up
    ip link add name uplink type veth peer name switch
    ip link set switch up
    ip link set uplink up
    ip address add 192.0.2.1/24 dev uplink
    ip address add 2001:db8::1/64 dev uplink nodad
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    ${hasDefaultRoute ? 'ip route add default via 192.0.2.254' : ''}
    ${hasDefaultRoute ? 'ip -6 route add default via 2001:db8::fe dev uplink' : ''}
    ${untilLinksAreReady(2)}
  `;
}

/**
 * Shell lines that wait until so many links have found their other end and have a link-local address: the kernel sees to
 * that when it comes to it, and until then a link takes no packets, and routes come by themselves.
 */
export function untilLinksAreReady(count: number): string {
  const ready = 'ip -6 -o address show up scope link | wc -l';
  return `tries=250; while [ $tries -gt 0 ] && [ "$(${ready})" -lt ${count} ]; do tries=$((tries - 1)); sleep 0.02; done`;
}

/** Moves the calling thread, and the processes it starts, into the namespace until disposed of. */
export function moveTo(netns: TestNetns): Disposable {
  const home = ownNetns();
  using target = openNetns(netns.path);
  setNetworkNamespace(target.fd);
  return {
    [Symbol.dispose]: () => {
      setNetworkNamespace(home.fd);
      home.close();
    },
  };
}
