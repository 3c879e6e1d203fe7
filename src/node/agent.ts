/**
 * The node agent: registers its host and follows the cluster, for as long as it lives. What is done with what it knows is
 * somebody else's: a consumer is told the state of the cluster whenever it changes.
 */

import { CalicoError } from '../base/calico-error.ts';
import type { Log } from '../base/log.ts';
import type { Leases } from '../datastore/leases.ts';
import type { Watch } from '../datastore/watch.ts';
import { applyChanges } from './apply-changes.ts';
import { type ClusterState, type SettingFields, unknownCluster } from './cluster.ts';
import { writeHostFile } from './registration/host-file.ts';
import { type Claimant, claimName } from './registration/name-claim.ts';
import { createRegistrar, type RegistrarPorts } from './registration/registrar.ts';
import type { RegistrationSettings } from './registration/registration-settings.ts';
import { type Batch, DatastoreFollower, type FollowEvent } from './watch/datastore-follower.ts';
import { isWantedBy, NODE_PREFIXES } from './watch/watched-prefix.ts';

export interface AgentSettings extends Claimant {
  readonly registration: RegistrationSettings;
  /** Settings of the environment (`FELIX_…`) by the names that a FelixConfiguration has for them. */
  readonly felixOverrides: SettingFields;
}

export interface AgentPorts extends RegistrarPorts {
  readonly watch: Watch;
  readonly leases: Leases;
}

/** What an agent does with the cluster. */
export interface ClusterConsumer {
  /** Told in order, one after the other, from the first whole picture on; a call must return at once. */
  readonly onCluster: (state: ClusterState, batch: Batch) => void;
  readonly onEvent: (event: FollowEvent) => void;
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
  const { nodeName, registration } = settings;
  const { log, interruption } = ports;
  const claim = await claimName(settings, { ...ports, random: ports.random.fraction });
  try {
    const registrar = createRegistrar(nodeName, registration, ports);
    await registrar.begin();
    if (interruption.signal() !== undefined) return;
    const follower = followCluster(settings, ports, consumer, registrar.lookAgain);
    const admitting = consumer.ready.then(() => {
      writeHostFile(registration.nodeNameFile, nodeName, ports.random.uuid());
      log.info('agent: ready', { node: nodeName, file: registration.nodeNameFile });
    });
    await endOfFirst([follower.run(), registrar.keep(), claim.keep()], admitting);
  } finally {
    await claim.release();
  }
}

/** All of them end when the agent is interrupted; before that, one that ends is the end of all. */
async function endOfFirst(tasks: readonly Promise<void>[], side: Promise<void>): Promise<void> {
  const failed = side.then(() => new Promise<never>(() => undefined));
  await Promise.race([Promise.all(tasks), failed]);
}

function followCluster(
  settings: AgentSettings,
  ports: AgentPorts,
  consumer: ClusterConsumer,
  lookAgain: () => void,
): DatastoreFollower {
  const { nodeName, felixOverrides } = settings;
  const { store, watch, clock, random, interruption, log } = ports;
  let state = unknownCluster(nodeName, felixOverrides);
  return new DatastoreFollower({
    ...{ store, watch, clock, interruption, random: random.fraction },
    prefixes: NODE_PREFIXES,
    isWanted: isWantedBy(nodeName),
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
