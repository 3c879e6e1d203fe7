/**
 * A cluster to try the node agent in: hosts on two subnets with a router between, an etcd at the router, `calico node`
 * of the built executable on each host, and pods that the built plugin networks. Each host has files of its own in
 * /var/lib/calico, /var/run/calico and /var/log/calico, as real ones have.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCluster } from './cluster.ts';
import { type Etcd, startEtcd } from './etcd.ts';
import { EXECUTABLE_FOLDER, executable } from './executable.ts';
import { makeNetns, type TestNetns } from './netns.ts';
import { type Finished, type RunOptions, run } from './run.ts';
import { toolPath } from './tools.ts';
import { makeHost, makeRouter, routerAddresses, type Subnet, type SubnetHost } from './two-subnets.ts';

/** For `vi.waitUntil`: what agents do at once may take long where others work as well. */
export const PATIENCE = { timeout: 20_000, interval: 20 } as const;

export interface AgentLabOptions {
  /** One for each host, node1 first; without it three hosts, the third in the other subnet. */
  readonly subnets?: readonly Subnet[];
  /** For every agent, beside NODENAME and ETCD_ENDPOINTS. */
  readonly env?: Environment;
}

type Environment = Readonly<Record<string, string>>;

export interface AgentLab extends AsyncDisposable {
  readonly router: TestNetns;
  /** Listens at the router's address in subnet 50; holds a ClusterInformation, and no node nor pool. */
  readonly etcd: Etcd;
  readonly hosts: readonly LabHost[];
  /** node1 is number 1; throws when there is none. */
  host(number: number): LabHost;
  /** Starts the agents of all hosts that have none running; resolves when they are ready. */
  startAgents(): Promise<void>;
}

export interface LabHost extends SubnetHost {
  /** What this host has as /var/lib/calico. */
  readonly folder: string;
  /** The agent that was started last. */
  readonly agent: LabAgent | undefined;
  /** Runs shell lines; see {@link TestNetns.sh}. */
  sh(lines: string): string;
  /** Runs a program where it sees the files and the network of this host. */
  run(argv: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Returns at once: wait for its `ready`. */
  startAgent(env?: Environment): LabAgent;
  /** ADD in a new sandbox; throws with what the plugin said when it fails. */
  makePod(options?: LabPodOptions): Promise<LabPod>;
}

export interface LabAgent {
  readonly process: ChildProcess;
  /** When the nodename file is written and plugins are let in; rejects with the log when it ends before. */
  readonly ready: Promise<void>;
  /** All that it has logged. */
  log(): string;
  /** Sends a signal, SIGKILL unless told otherwise, and resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface LabPodOptions {
  /** Added to, or replacing, what the network configuration says. */
  readonly conf?: object;
  /** CNI_ARGS: `IP=10.77.0.9`, for example. */
  readonly args?: string;
}

export interface LabPod {
  readonly host: LabHost;
  readonly netns: TestNetns;
  /** Without length; empty when it has none of that family. */
  readonly ipv4: string;
  readonly ipv6: string;
  sh(lines: string): string;
  /** DEL, and the sandbox is deleted. */
  remove(): Promise<void>;
}

const OWN_FOLDERS = ['lib', 'run', 'log'] as const;

/** Dispose of it, in `afterAll`: agents and etcd are killed, and pods and hosts vanish without a DEL. */
export async function makeAgentLab(options: AgentLabOptions = {}): Promise<AgentLab> {
  const { subnets = [50, 50, 60], env = {} } = options;
  const stack = new AsyncDisposableStack();
  try {
    const folder = mkdtempSync(join(tmpdir(), 'agent-lab-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    const router = stack.use(makeRouter());
    const etcd = await startEtcd({ netns: router.name, address: routerAddresses(50).ipv4 });
    stack.defer(() => etcd.stop());
    await writeCluster(etcd, { nodes: [], pools: {} });
    const hosts = subnets.map((subnet, index) => {
      const host = makeHost(router, index + 1, subnet);
      stack.use(host.netns);
      return labHost(host, { folder: join(folder, host.name), etcd, env, stack });
    });
    const startAgents = async () => {
      const missing = hosts.filter(({ agent }) => agent === undefined || hasEnded(agent.process));
      await Promise.all(missing.map((host) => host.startAgent().ready));
    };
    const host = (number: number) => {
      const found = hosts[number - 1];
      if (found === undefined) throw new Error(`the lab has ${hosts.length} hosts, and no node${number}`);
      return found;
    };
    return { router, etcd, hosts, host, startAgents, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

interface HostWorld {
  readonly folder: string;
  readonly etcd: Etcd;
  readonly env: Environment;
  /** Disposes of the agents and sandboxes of the host. */
  readonly stack: AsyncDisposableStack;
}

function labHost(host: SubnetHost, world: HostWorld): LabHost {
  const { folder, etcd, env, stack } = world;
  for (const name of OWN_FOLDERS) mkdirSync(join(folder, name), { recursive: true });
  let agent: LabAgent | undefined;
  const made: LabHost = {
    ...host,
    folder: join(folder, 'lib'),
    get agent() {
      return agent;
    },
    sh: host.netns.sh,
    run: (argv, options) => run(onHost(host, folder, argv), options),
    startAgent: (more = {}) => {
      const base = { PATH: toolPath(), NODENAME: host.name, ETCD_ENDPOINTS: etcd.endpoint };
      const argv = [
        'setpriv',
        '--pdeathsig',
        'KILL',
        ...onHost(host, folder, [executable('calico'), 'node']),
      ];
      const started = startAgent(argv, { ...base, ...env, ...more });
      stack.defer(() => started.kill());
      agent = started;
      return started;
    },
    makePod: (options = {}) => makePod(made, world, options),
  };
  return made;
}

/** In the network of the host, and with its own folders; `ip netns exec` gives it mounts of its own. */
function onHost(host: SubnetHost, folder: string, argv: readonly string[]): readonly string[] {
  const mounts = OWN_FOLDERS.map(
    (name) => `mkdir -p /var/${name}/calico; mount --bind ${join(folder, name)} /var/${name}/calico`,
  );
  return [
    'ip',
    'netns',
    'exec',
    host.netns.name,
    'sh',
    '-ec',
    `${mounts.join('; ')}; exec "$@"`,
    '-',
    ...argv,
  ];
}

function startAgent(argv: readonly string[], env: Environment): LabAgent {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  // Who does not wait for it need not hear of its end.
  ready.catch(() => undefined);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    if (log.includes('agent: ready')) resolve();
  });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  child.once('error', reject);
  child.once('close', () => reject(new Error(`the agent ended before it was ready:\n${log}`)));
  return {
    process: child,
    ready,
    log: () => log,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal);
      return ended;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function makePod(host: LabHost, world: HostWorld, options: LabPodOptions): Promise<LabPod> {
  const netns = makeNetns('pod');
  world.stack.use(netns);
  const call = (command: string) => callPlugin(command, host, world, netns, options);
  const { ips } = JSON.parse(await call('ADD'));
  const addressOf = (family: '4' | '6') => {
    const found = ips.find(({ address }: { address: string }) => address.includes(':') === (family === '6'));
    return found?.address.replace(/\/.*/, '') ?? '';
  };
  return {
    host,
    netns,
    ipv4: addressOf('4'),
    ipv6: addressOf('6'),
    sh: netns.sh,
    remove: async () => {
      await call('DEL');
      netns.delete();
    },
  };
}

async function callPlugin(
  command: string,
  host: LabHost,
  { etcd }: HostWorld,
  netns: TestNetns,
  { conf = {}, args }: LabPodOptions,
): Promise<string> {
  const network = {
    ...{ cniVersion: '1.0.0', name: 'net', type: 'calico', log_level: 'info' },
    ...{ datastore_type: 'etcdv3', etcd_endpoints: etcd.endpoint, ipam: { type: 'calico-ipam' } },
    ...conf,
  };
  const env = {
    ...{ CNI_COMMAND: command, CNI_CONTAINERID: netns.name, CNI_NETNS: netns.path, CNI_IFNAME: 'eth0' },
    CNI_PATH: EXECUTABLE_FOLDER,
    ...(args === undefined ? {} : { CNI_ARGS: args }),
  };
  const { exitCode, stdout, stderr } = await host.run([executable('calico')], {
    env,
    stdin: JSON.stringify(network),
  });
  if (exitCode === 0) return stdout;
  throw new Error(`${command} on ${host.name} ended with ${exitCode}: ${stdout}\n${stderr}`);
}
