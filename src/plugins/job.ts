/** What every verb begins with: all inputs parsed and checked, before anything is touched. */

import { errorText } from '../base/calico-error.ts';
import { type Deadline, deadlineIn } from '../base/deadline.ts';
import { createLog, type Log } from '../base/log.ts';
import { openLogFile } from '../base/log-file.ts';
import { createPhases, type Phases } from '../base/phases.ts';
import type { RuntimeArgs } from '../cni/args.ts';
import type { CniCall } from '../cni/dispatch.ts';
import { cniErrorOf } from '../cni/error.ts';
import type { CalicoConf, LogConf } from '../config/calico-conf.ts';
import { environmentDefaults } from '../config/environment-defaults.ts';
import { parseNetConf } from '../config/net-conf.ts';
import { readNodeName } from '../config/node-name.ts';
import { storeSettings } from '../config/store-settings.ts';
import { interruptibleStore } from '../datastore/interruptible-store.ts';
import { openStoreOf } from '../datastore/open-store.ts';
import type { Decision } from '../datastore/settle.ts';
import { settle } from '../datastore/settle.ts';
import type { Range, Store } from '../datastore/store.ts';
import { timedStore } from '../datastore/timed-store.ts';
import type { View } from '../datastore/view.ts';
import { tryLockFile } from '../network/native.ts';
import type { WorkloadIdentifiers } from '../workload/identifiers.ts';
import { identify, runtimeArgs } from './identify.ts';
import type { World } from './world.ts';

const MEGABYTE = 1 << 20;

export interface Job {
  readonly call: CniCall;
  readonly conf: CalicoConf;
  readonly args: RuntimeArgs;
  readonly ids: WorkloadIdentifiers;
  readonly world: World;
  readonly log: Log;
  /** When the whole call must be over. */
  readonly deadline: Deadline;
  readonly phases: Phases;
  elapsedMs(): number;
}

/** Throws `config`, `environment` or `unsupported`, naming the key and the value. */
export function prepareJob(call: CniCall, world: World, budgetMs: number): Job {
  const startMs = world.clock.monotonicMs();
  const deadline = deadlineIn(world.clock, budgetMs, call.command, world.interruption);
  const phases = createPhases(world.clock.monotonicMs);
  const configured = phases.start('configuration');
  const rigor = call.command === 'ADD' || call.command === 'STATUS' ? 'strict' : 'lenient';
  const conf = parseNetConf(call.conf, environmentDefaults(world.env), rigor);
  const args = runtimeArgs(call);
  const nodeName = readNodeName(conf.node);
  const ids = identify(call, conf, args, nodeName);
  const elapsedMs = () => Math.round(world.clock.monotonicMs() - startMs);
  const log = jobLog(call, conf, ids, world);
  configured();
  if (conf.node.hostname !== undefined) log.warn(HOSTNAME_DEPRECATED);
  return { call, conf, args, ids, world, log, deadline, phases, elapsedMs };
}

/** Calico's words. */
const HOSTNAME_DEPRECATED = "Configuration option 'hostname' is deprecated, use 'nodename' instead";

/** Runs what a call is for. Its failure is in the log as well, with how long it took: runtimes forget what they are told. */
export async function loggingFailure<T>(job: Job, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, msg } = cniErrorOf(error);
    job.log.debug('phases', { phases: job.phases.toString() });
    job.log.error(`${job.call.command} failed`, { error: msg, code, milliseconds: job.elapsedMs() });
    throw error;
  }
}

function jobLog(call: CniCall, conf: CalicoConf, ids: WorkloadIdentifiers, world: World): Log {
  const toFile = logFile(conf.log, world);
  return createLog({
    level: conf.log.level,
    pid: world.pid,
    nowNs: world.clock.nowNs,
    write: (line) => {
      world.writeStderr(line);
      toFile(line);
    },
    context: {
      command: call.command,
      container: call.containerId || undefined,
      interface: call.ifName || undefined,
      pod: ids.podName && `${ids.namespace}/${ids.podName}`,
      node: ids.nodeName,
    },
  });
}

function logFile(conf: LogConf, { clock }: World): (line: string) => void {
  const { filePath: path, fileMaxSizeMegabytes, fileMaxAgeDays: maxAgeDays, fileMaxCount: maxCount } = conf;
  const nowMs = () => Number(clock.nowNs() / 1_000_000n);
  const limits = { maxBytes: fileMaxSizeMegabytes * MEGABYTE, maxAgeDays, maxCount };
  return openLogFile({ path, ...limits }, { nowMs, tryLock: tryLockFile });
}

/** The datastore of the configuration. */
export async function openStore({ conf, world, deadline, log, phases }: Job): Promise<Store> {
  const opened = phases.start('open datastore');
  const { clock, random } = world;
  const store = await openStoreOf(storeSettings(conf.datastore), {
    clock,
    deadline,
    random: random.fraction,
    onFailure: ({ url, error }) =>
      log.warn('an etcd endpoint does not serve us: asking another', { endpoint: url, error: error.message }),
  });
  opened();
  return timedStore(interruptibleStore(store, world.clock), phases);
}

/** A store that cannot be closed has done its work all the same. */
export async function closeQuietly(store: Store, log: Log): Promise<void> {
  try {
    await store.close();
  } catch (error) {
    log.debug('cannot close the datastore', { error: errorText(error) });
  }
}

/** {@link settle} with the job's own clock, chance and deadline. */
export function settleJob<T>(
  { world, deadline, log, phases }: Pick<Job, 'world' | 'deadline' | 'log' | 'phases'>,
  store: Store,
  ranges: readonly Range[],
  decide: (view: View) => Decision<T>,
  beforeCommit?: (outcome: T) => Promise<void>,
): Promise<T> {
  const { clock, random } = world;
  return settle({
    store,
    ranges,
    decide: (view) => {
      const decided = phases.start('decide');
      const decision = decide(view);
      decided();
      return decision;
    },
    deadline,
    clock,
    random: random.fraction,
    onConflict: (why) =>
      log.debug(
        why === 'lost'
          ? 'another writer was faster: deciding again'
          : 'a write was not answered: reading back',
      ),
    ...(beforeCommit === undefined ? {} : { beforeCommit }),
  });
}
