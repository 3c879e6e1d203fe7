/**
 * The node agent: registers its host and follows the cluster, for as long as it lives. What is done with what it knows is
 * somebody else's: a consumer is told the state of the cluster whenever it changes.
 */

import { CalicoError, isCalicoError } from '../base/calico-error.ts';
import { createInterrupter } from '../base/interruption.ts';
import type { Log } from '../base/log.ts';
import { pause } from '../base/pause.ts';
import type { Revision } from '../base/revision.ts';
import type { Leases } from '../datastore/leases.ts';
import type { Watch } from '../datastore/watch.ts';
import { applyChanges } from './apply-changes.ts';
import { type ClusterState, type SettingFields, unknownCluster } from './cluster.ts';
import type { GarbageCollector } from './garbage/keep-collecting.ts';
import { writeHostFile } from './registration/host-file.ts';
import { type Claimant, claimName, type NameClaim } from './registration/name-claim.ts';
import { createRegistrar, type RegistrarPorts } from './registration/registrar.ts';
import type { RegistrationSettings } from './registration/registration-settings.ts';
import { backoffMs } from './watch/backoff.ts';
import { type Batch, DatastoreFollower, type FollowEvent } from './watch/datastore-follower.ts';
import { isWantedBy, NODE_PREFIXES } from './watch/watched-prefix.ts';

export interface AgentSettings extends Claimant {
  readonly registration: RegistrationSettings;
  /** Settings of the environment (`FELIX_…`) by the names that a FelixConfiguration has for them. */
  readonly felixOverrides: SettingFields;
  /** How long the node's name stays this host's when nothing is heard of it; 30 where nothing else is said. */
  readonly claimSeconds?: number;
}

export interface AgentPorts extends RegistrarPorts {
  readonly watch: Watch;
  readonly leases: Leases;
  /** Makes new connections to the datastore: those of an address that this host no longer has lead nowhere. */
  readonly renewConnections?: () => void;
  /** `undefined`: garbage is nobody's business here. */
  readonly collector?: Pick<GarbageCollector, 'keep' | 'onCluster'> | undefined;
}

/** What an agent does with the cluster. */
export interface ClusterConsumer {
  /** Told in order, one after the other, from the first whole picture on; a call must return at once. */
  readonly onCluster: (state: ClusterState, batch: Batch) => void;
  readonly onEvent: (event: FollowEvent) => void;
  /** The datastore has given a sign of life; nothing before this revision is missing. */
  readonly onHeard?: (revision: Revision) => void;
  /** What to do when no interface has the address of our Node any more, or still none when something has changed. */
  readonly whenMoved?: (lookAgain: () => void) => void;
  /** Resolves when this host is as the first state says: then plugins are let in. */
  readonly ready: Promise<void>;
}

/**
 * Resolves once it was interrupted. Rejects with what cannot be healed by waiting: another host or node has our name or
 * address, settings that are wrong, permissions that are missing.
 */
export async function runAgent(
  settings: AgentSettings,
  ports: AgentPorts,
  consumer: ClusterConsumer,
): Promise<void> {
  const { interruption, interrupt } = createInterrupter();
  using _listening = ports.interruption.listen(() => interrupt(ports.interruption.signal() ?? 'a signal'));
  const claim = await claimPatiently(settings, { ...ports, interruption }, consumer.onEvent);
  if (claim === undefined) return;
  try {
    await work(settings, { ...ports, interruption }, consumer, claim);
  } finally {
    // Should one task have failed, the others end as well.
    interrupt('the end of the agent');
    await claim.release();
  }
}

async function work(
  settings: AgentSettings,
  ports: AgentPorts,
  consumer: ClusterConsumer,
  claim: NameClaim,
): Promise<void> {
  const { nodeName, registration } = settings;
  const { log, interruption, collector } = ports;
  const registrar = createRegistrar(nodeName, registration, ports);
  await registrar.begin();
  if (interruption.signal() !== undefined) return;
  const follower = followCluster(settings, ports, consumer, registrar.lookAgain);
  consumer.whenMoved?.(() => {
    follower.reconnect();
    ports.renewConnections?.();
    registrar.lookAgain();
  });
  const admitting = consumer.ready.then(() => {
    writeHostFile(registration.nodeNameFile, nodeName, ports.random.uuid());
    log.info('agent: ready', { node: nodeName, file: registration.nodeNameFile });
  });
  const tasks = [follower.run(), registrar.keep(), claim.keep(), collector?.keep(interruption)];
  await allOrFailure(tasks, admitting);
}

/** Until etcd answers; `undefined` once the agent is told to stop. */
async function claimPatiently(
  settings: AgentSettings,
  ports: AgentPorts,
  onEvent: ClusterConsumer['onEvent'],
): Promise<NameClaim | undefined> {
  const { log, interruption, random } = ports;
  for (let failures = 0; interruption.signal() === undefined; failures++) {
    try {
      return await claimName(settings, { ...ports, random: random.fraction }, settings.claimSeconds);
    } catch (error) {
      if (interruption.signal() !== undefined) return undefined;
      if (!isCalicoError(error, 'unavailable')) throw error;
      const pauseMs = backoffMs(failures, random.fraction());
      log.warn('agent: the datastore does not answer', { error: error.message, details: error.details });
      onEvent({ type: 'disconnected', error, pauseMs });
      await pause(ports, pauseMs);
    }
  }
  return undefined;
}

/** Resolves when all tasks have ended; rejects with the first failure, also of what need not end. */
async function allOrFailure(
  tasks: readonly (Promise<void> | undefined)[],
  other: Promise<void>,
): Promise<void> {
  const failed = other.then(() => new Promise<never>(() => undefined));
  await Promise.race([Promise.all(tasks), failed]);
}

function followCluster(
  settings: AgentSettings,
  ports: AgentPorts,
  consumer: ClusterConsumer,
  lookAgain: () => void,
): DatastoreFollower {
  const { nodeName, felixOverrides } = settings;
  const { store, watch, clock, random, interruption, log, collector } = ports;
  let state = unknownCluster(nodeName, felixOverrides);
  return new DatastoreFollower({
    ...{ store, watch, clock, interruption, random: random.fraction },
    prefixes: NODE_PREFIXES,
    isWanted: isWantedBy(nodeName),
    onHeard: (revision) => consumer.onHeard?.(revision),
    onEvent: (event) => {
      logEvent(event, log);
      consumer.onEvent(event);
    },
    onBatch: (batch) => {
      const before = state;
      const changes = batch.changes.map(({ key, value }) => ({ key, text: value }));
      state = applyChanges(state, changes);
      if (batch.cause === 'part') return;
      if (concernsRegistration(before, state, nodeName)) lookAgain();
      collector?.onCluster(state);
      consumer.onCluster(state, batch);
    },
  });
}

/** What the addresses of this host's tunnels depend on. */
function concernsRegistration(before: ClusterState, after: ClusterState, nodeName: string): boolean {
  return before.pools !== after.pools || before.nodes.get(nodeName) !== after.nodes.get(nodeName);
}

function logEvent(event: FollowEvent, log: Log): void {
  switch (event.type) {
    case 'connected':
      log.info('datastore: changes are followed', { revision: event.revision });
      break;
    case 'disconnected': {
      const { error, pauseMs } = event;
      const fields = { error: error.message, details: error.details, milliseconds: Math.round(pauseMs) };
      log.warn('datastore: changes are not heard of; what is known stays', fields);
      break;
    }
    case 'reading':
      log.info('datastore: everything is read', { why: event.why });
      break;
    case 'doubting':
      log.warn('datastore: everything seems to be gone; it is read once more before that is believed', {
        prefixes: event.prefixes.join(', '),
      });
  }
}

/** The error for a datastore that cannot tell of changes. */
export function needsEtcd(): CalicoError {
  return new CalicoError('config', 'the node agent needs etcd: the embedded datastore is of one node', {
    details: 'set DATASTORE_TYPE=etcdv3 and ETCD_ENDPOINTS; a single node needs no agent',
  });
}
