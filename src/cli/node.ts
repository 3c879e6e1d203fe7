/** `calico node`: the agent that keeps this host reachable from the others, as calico/node does with Felix. */

import { Command, Option } from 'commander';
import { deadlineIn } from '../base/deadline.ts';
import { createLog, type Log, type LogLevel } from '../base/log.ts';
import { interfacePrefix } from '../config/environment-defaults.ts';
import { MTU_FILE } from '../config/mtu-file.ts';
import { readNodeName } from '../config/node-name.ts';
import { openEtcd } from '../datastore/open-etcd.ts';
import { type AgentSettings, needsEtcd, runAgent } from '../node/agent.ts';
import { felixEnvironment } from '../node/felix-environment.ts';
import { garbageMetrics, garbageStatus } from '../node/garbage/garbage-figures.ts';
import {
  GARBAGE_MODES,
  type GarbageSettings,
  readGarbageSettings,
} from '../node/garbage/garbage-settings.ts';
import { createGarbageCollector } from '../node/garbage/keep-collecting.ts';
import { keepHost } from '../node/host-consumer.ts';
import { openOperations } from '../node/operations.ts';
import { hostIdentity, hostName } from '../node/registration/host-identity.ts';
import { becomeOnlyAgent } from '../node/registration/only-agent.ts';
import { readInterfaces } from '../node/registration/read-interfaces.ts';
import {
  type RegistrationSettings,
  readRegistrationSettings,
} from '../node/registration/registration-settings.ts';
import { requireRights } from '../node/registration/require-rights.ts';
import { sourceAddress } from '../node/registration/source-address.ts';
import { waitForFelix } from '../node/registration/wait-for-felix.ts';
import { keepHeapSmall } from '../node/small-heap.ts';
import type { CommandWorld, ExitCode } from './command-world.ts';
import { readConfigFile } from './config-file.ts';
import { type DatastoreOptions, datastoreSettings, withDatastoreOptions } from './datastore-options.ts';
import { internalAddresses } from './internal-addresses.ts';
import { checksystemCommand } from './node/checksystem.ts';
import { removeCommand } from './node/remove.ts';
import { socketOf, socketOption } from './node/socket.ts';
import { statusCommand } from './node/status.ts';

export interface NodeOptions extends DatastoreOptions {
  readonly node?: string;
  readonly ip?: string;
  readonly ip6?: string;
  readonly ipAutodetectionMethod?: string;
  readonly ip6AutodetectionMethod?: string;
  readonly nodenameFile?: string;
  readonly garbageCollection?: string;
  readonly garbageCollectionGracePeriod?: string;
  readonly socket?: string;
  readonly logLevel: string;
}

const DISCOVERY_MS = 30_000;
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  warning: 'warning',
  error: 'error',
};

export function nodeCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  const command = new Command('node')
    .usage('[command] [options]')
    .enablePositionalOptions()
    .summary('run the node agent: this host registers itself and reaches the pods of all others')
    .description(
      'Registers this host with its address, gives its tunnels theirs, and keeps its routes, tunnels and masquerading as the cluster has them. Runs until SIGTERM; what it made stays when it ends. Every option of calico/node is taken from the environment: IP, IP_AUTODETECTION_METHOD, CALICO_IPV4POOL_CIDR, …',
    )
    .option(
      '--node <name>',
      'name of this node (default: NODENAME, the nodename file, HOSTNAME, its own name)',
    )
    .option('--ip <address>', 'its IPv4 address: autodetect, none, ADDRESS or ADDRESS/LENGTH (default: IP)')
    .option('--ip6 <address>', 'the same for IPv6, which is only looked for if asked to (default: IP6)')
    .option(
      '--ip-autodetection-method <method>',
      'first-found, kubernetes-internal-ip, interface=REGEX, skip-interface=REGEX, cidr=CIDR, can-reach=ADDRESS (default: IP_AUTODETECTION_METHOD)',
    )
    .option('--ip6-autodetection-method <method>', 'the same for IPv6 (default: IP6_AUTODETECTION_METHOD)')
    .option('--nodename-file <file>', 'where plugins find its name (default: CALICO_NODENAME_FILE)')
    .addOption(socketOption())
    .addOption(
      new Option(
        '--garbage-collection <mode>',
        'give back what containers and removed nodes have left: docs/node.md (default: GARBAGE_COLLECTION, off)',
      ).choices(GARBAGE_MODES),
    )
    .option(
      '--garbage-collection-grace-period <time>',
      'how long a thing must look like garbage (default: GARBAGE_COLLECTION_GRACE_PERIOD, 15m)',
    )
    .addOption(
      new Option('--log-level <level>', 'what is logged').choices(Object.keys(LOG_LEVELS)).default('info'),
    );
  return withDatastoreOptions(command)
    .action((options: NodeOptions) => run(options, world))
    .addCommand(statusCommand(world, exit))
    .addCommand(checksystemCommand(world, exit))
    .addCommand(removeCommand(world));
}

async function run(options: NodeOptions, world: CommandWorld): Promise<void> {
  keepHeapSmall();
  const log = logOf(options, world);
  const settings = agentSettings(options, world);
  const garbage = garbageSettings(options, world);
  const stored = datastoreSettings(options, readConfigFile(options.config), world.env);
  if (stored.type !== 'etcdv3') throw needsEtcd();
  requireRights();
  using _only = await becomeOnlyAgent();
  using operations = openOperations({
    ...{ nodeName: settings.nodeName, felixOverrides: settings.felixOverrides, version: world.version },
    ...{ socket: socketOf(options, world.env), clock: world.clock, log },
  });
  const { clock, interruption, random } = world;
  await waitForFelix({ clock, interruption, log, onWait: operations.waitsFor });
  if (interruption.signal() !== undefined) return;
  const deadline = deadlineIn(clock, DISCOVERY_MS, 'the search for etcd', interruption);
  const datastore = await openEtcd(stored, { clock, deadline, random: random.fraction });
  log.info('agent: begins', { version: world.version, node: settings.nodeName });
  try {
    const ports = { ...datastore, clock, random, interruption, log };
    const host = { readInterfaces, sourceAddress, internalAddresses: kubernetesAddresses(settings, world) };
    using consumer = keepHost({ clock, random, log, mtuFile: MTU_FILE, witness: operations.witness });
    const collector = createGarbageCollector(settings, garbage, {
      ...ports,
      interfacePrefix: interfacePrefix(world.env),
    });
    operations.include({
      metrics: () => garbageMetrics(collector.status()),
      status: () => garbageStatus(collector.status()),
    });
    await runAgent(settings, { ...ports, ...host, collector }, consumer);
    log.info('agent: ended', { by: interruption.signal() });
  } finally {
    await datastore.close();
  }
}

/** Kubernetes may call this node by another name. */
function kubernetesAddresses({ registration, nodeName }: AgentSettings, world: CommandWorld) {
  return internalAddresses(registration.kubernetesNode ?? nodeName, world);
}

/** Options come before the environment, whose names they have. Throws `config`. */
export function agentSettings(options: NodeOptions, { env }: Pick<CommandWorld, 'env'>): AgentSettings {
  const given = {
    NODENAME: options.node,
    IP: options.ip,
    IP6: options.ip6,
    IP_AUTODETECTION_METHOD: options.ipAutodetectionMethod,
    IP6_AUTODETECTION_METHOD: options.ip6AutodetectionMethod,
    CALICO_NODENAME_FILE: options.nodenameFile,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const registration = readRegistrationSettings({ ...env, ...set });
  return {
    registration,
    nodeName: nodeNameOf(registration),
    identity: hostIdentity(),
    hostname: hostName(),
    felixOverrides: felixEnvironment(env),
  };
}

/** Options come before the environment. Throws `config`. */
export function garbageSettings(
  { garbageCollection, garbageCollectionGracePeriod }: NodeOptions,
  { env }: Pick<CommandWorld, 'env'>,
): GarbageSettings {
  return readGarbageSettings({
    ...env,
    ...(garbageCollection && { GARBAGE_COLLECTION: garbageCollection }),
    ...(garbageCollectionGracePeriod && { GARBAGE_COLLECTION_GRACE_PERIOD: garbageCollectionGracePeriod }),
  });
}

function nodeNameOf({ nodeName, nodeNameFile, hostname }: RegistrationSettings): string {
  return readNodeName({
    nodename: nodeName,
    nodenameFile: nodeNameFile,
    nodenameFileOptional: true,
    hostname,
  });
}

function logOf({ logLevel }: NodeOptions, { pid, clock, writeStderr }: CommandWorld): Log {
  return createLog({
    level: LOG_LEVELS[logLevel] ?? 'info',
    pid,
    nowNs: () => clock.nowNs(),
    write: (line) => void writeStderr(line).catch(() => undefined),
    context: {},
  });
}
