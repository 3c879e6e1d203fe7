/**
 * A node for end-to-end tests: a network namespace that plays the host, an etcd on its loopback, sandboxes, and the
 * finished executable called as a runtime calls it. Nothing of it touches the machine's own network.
 */

import { datastoreViolations } from './datastore-violations.ts';
import { type Etcd, startEtcd } from './etcd.ts';
import { EXECUTABLE_FOLDER, type ProgramName, runExecutable } from './executable.ts';
import { makeNetns, type TestNetns } from './netns.ts';
import type { Finished } from './run.ts';
import { REFERENCE_PLUGINS } from './tools.ts';

export interface SimulatedNode {
  readonly host: TestNetns;
  readonly etcd: Etcd;
  /** An empty sandbox. */
  makePod(): TestNetns;
  /** Runs one CNI command of the executable. */
  cni(command: string, call: CniTestCall): Promise<Answer>;
  /** The network configuration of this node, with changes. */
  conf(changes?: object): object;
  stop(): Promise<void>;
}

export interface CniTestCall {
  readonly program?: ProgramName;
  readonly containerId: string;
  /** Sandbox path; left out of the environment when `undefined`. */
  readonly netns?: string | undefined;
  readonly ifName?: string;
  readonly args?: string;
  /** Added to, or replacing, what the node's own configuration says. */
  readonly conf?: object;
  /** Replaces stdin altogether. */
  readonly stdin?: string | Uint8Array;
  /** Added to, or replacing, the environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** A program, with its arguments, that runs the executable. */
  readonly under?: readonly string[];
}

export interface Answer extends Finished {
  /** stdout as JSON, `undefined` when it is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: a result or an error, as the test expects it
  readonly json: any;
}

export const NODE = 'node1';
export const NETWORK = 'k8s-pod-network';

export async function startNode(): Promise<SimulatedNode> {
  const host = makeNetns('node');
  host.sh(
    'ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
  );
  const etcd = await startEtcd({ netns: host.name });
  const pods: TestNetns[] = [];
  const conf = (changes: object = {}) => ({
    cniVersion: '1.0.0',
    name: NETWORK,
    type: 'calico',
    datastore_type: 'etcdv3',
    etcd_endpoints: etcd.endpoint,
    nodename: NODE,
    nodename_file_optional: true,
    log_level: 'info',
    mtu: 1440,
    ipam: { type: 'calico-ipam' },
    ...changes,
  });
  return {
    host,
    etcd,
    conf,
    makePod: () => {
      const pod = makeNetns('pod');
      pods.push(pod);
      return pod;
    },
    cni: async (command, call) => {
      const finished = await runExecutable(call.program ?? 'calico', {
        netns: host.name,
        env: environment(command, call),
        stdin: call.stdin ?? JSON.stringify(conf(call.conf)),
        timeoutMs: call.timeoutMs ?? 60_000,
        ...(call.under === undefined ? {} : { under: call.under }),
      });
      return { ...finished, json: finished.stdout === '' ? undefined : JSON.parse(finished.stdout) };
    },
    stop: async () => {
      await etcd.stop();
      for (const netns of [...pods, host]) netns.delete();
    },
  };
}

function environment(command: string, call: CniTestCall): Record<string, string> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: call.containerId,
    CNI_IFNAME: call.ifName ?? 'eth0',
    CNI_PATH: `${EXECUTABLE_FOLDER}:${REFERENCE_PLUGINS}`,
    ...(call.netns === undefined ? {} : { CNI_NETNS: call.netns }),
    ...(call.args === undefined ? {} : { CNI_ARGS: call.args }),
    ...call.env,
  };
}

/** The answer of a call that must succeed. */
export function succeeded(answer: Answer): Answer {
  if (answer.exitCode === 0) return answer;
  throw new Error(`exit code ${answer.exitCode}: ${answer.stdout}\n${answer.stderr}`);
}

/** Everything under /calico, with the values as JSON. */
export async function dumpCalico(node: SimulatedNode): Promise<ReadonlyMap<string, string>> {
  return node.etcd.list('/calico/');
}

/** What is wrong in the datastore now that every container should be gone. */
export async function leftovers(node: SimulatedNode): Promise<readonly string[]> {
  return datastoreViolations(await dumpCalico(node), { network: NETWORK, live: new Map() });
}

/** What a call may change, in one value to compare: links and routes of the host, all keys and values. */
export async function wholeState(node: SimulatedNode): Promise<object> {
  return {
    links: node.host.sh('ip -o link').replace(/ state \S+.*/g, ''),
    routes: node.host.sh('ip route; ip -6 route'),
    keys: [...(await dumpCalico(node))],
  };
}
