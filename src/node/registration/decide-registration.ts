/**
 * What is written when a host registers: its Node, and what a cluster begins with where it has not begun yet. One
 * transaction, guarded by what was read. Pure.
 */

import { CalicoError } from '../../base/calico-error.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { ABSENT } from '../../base/revision.ts';
import { encodeNewClusterInformation } from '../../datastore/codecs/bootstrap-resources.ts';
import { decodeDatastoreReady } from '../../datastore/codecs/cluster-information.ts';
import { decodeIpPool } from '../../datastore/codecs/ip-pool.ts';
import { readable } from '../../datastore/codecs/readable.ts';
import {
  CLUSTER_INFORMATION_KEY,
  IP_POOLS_PREFIX,
  ipPoolKey,
  NODES_PREFIX,
  nodeKey,
} from '../../datastore/keys.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { Expectation, Range, Write } from '../../datastore/store.ts';
import { entriesUnder, entryAt, type View } from '../../datastore/view.ts';
import { FAMILIES, type PerFamily } from '../cluster.ts';
import { decideAddress, parseRecorded, plainAddress } from './decide-address.ts';
import { type HostInterfaces, type LocalAddress, localAddresses } from './detect-address.ts';
import { USUALLY_SKIPPED } from './detection-method.ts';
import { newNodeRecord, nodeField, withNodeFields } from './node-record.ts';
import type { RegistrationSettings } from './registration-settings.ts';
import { encodeWantedPool } from './wanted-pool.ts';

export interface RegistrationRequest {
  readonly nodeName: string;
  readonly settings: RegistrationSettings;
  readonly host: HostInterfaces;
  readonly detected: PerFamily<LocalAddress | undefined>;
  /** Fresh on each call. */
  readonly uuid: () => string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

export interface Registered {
  /** As the Node has them now. */
  readonly addresses: PerFamily<string | undefined>;
  /** What was written, in words. */
  readonly written: readonly string[];
  readonly warnings: readonly string[];
  /** Another node has our address, in words: it was not written. */
  readonly conflict: string | undefined;
}

export function registrationRanges(nodeName: string): readonly Range[] {
  return [{ key: nodeKey(nodeName) }, { key: CLUSTER_INFORMATION_KEY }, { prefix: IP_POOLS_PREFIX }];
}

const ADDRESS_FIELDS: PerFamily<string> = { 4: 'ipv4Address', 6: 'ipv6Address' };

/**
 * Throws `unavailable` when an address is needed and none was found, and while nobody may write; `corrupt` when our Node
 * cannot be understood.
 */
export function decideRegistration(request: RegistrationRequest, view: View): Decision<Registered> {
  requireReady(view);
  const recorded = recordedAddresses(request, view);
  const answers = {
    4: answer(request, 4, recorded[4]),
    6: answer(request, 6, recorded[6]),
  };
  const warnings = FAMILIES.flatMap((family) => answers[family].warnings);
  const changed = FAMILIES.filter((family) => answers[family].text !== recorded[family]);
  const checks = request.settings.checksConflicts && changed.length > 0;
  if (checks && !view.prefixes.has(NODES_PREFIX)) return { step: 'look', ranges: [{ prefix: NODES_PREFIX }] };
  const conflicts = checks ? changed.flatMap((family) => rivals(request, view, answers[family].text)) : [];
  if (conflicts.length > 0)
    return refuse(request, view, recorded, { warnings, conflict: conflicts.join('; ') });
  const addresses = { 4: answers[4].text, 6: answers[6].text };
  const node = nodePart(request, view, addresses, changed.length > 0);
  const parts = [node, clusterPart(request, view), ...poolParts(request, view)];
  return decisionOf(
    parts.flatMap((part) => part ?? []),
    { addresses, warnings, conflict: undefined },
  );
}

/** Somebody is moving the datastore, or putting it in order. */
function requireReady(view: View): void {
  const entry = entryAt(view, CLUSTER_INFORMATION_KEY);
  if (entry === undefined || decodeDatastoreReady(entry.value, entry.key)) return;
  throw new CalicoError(
    'unavailable',
    'the datastore is not ready: datastoreReady of the ClusterInformation is false',
  );
}

interface Part {
  readonly what: string;
  readonly expect: Expectation;
  readonly write: Write;
}

function decisionOf(parts: readonly Part[], registered: Omit<Registered, 'written'>): Decision<Registered> {
  const transaction = { expect: parts.map(({ expect }) => expect), write: parts.map(({ write }) => write) };
  return commitOrDone(transaction, { ...registered, written: parts.map(({ what }) => what) });
}

function answer(request: RegistrationRequest, family: 4 | 6, recorded: string | undefined) {
  const { settings, host, detected } = request;
  return decideAddress({
    family,
    setting: settings.addresses[family],
    recorded,
    detected: detected[family],
    host,
  });
}

function recordedAddresses({ nodeName }: RegistrationRequest, view: View): PerFamily<string | undefined> {
  const entry = entryAt(view, nodeKey(nodeName));
  const field = (family: 4 | 6) =>
    entry === undefined ? undefined : nodeField(entry.value, entry.key, 'bgp', ADDRESS_FIELDS[family]);
  return { 4: field(4), 6: field(6) };
}

function rivals({ nodeName }: RegistrationRequest, view: View, text: string | undefined): readonly string[] {
  const own = text === undefined ? undefined : parseRecorded(text)?.address;
  if (own === undefined) return [];
  return entriesUnder(view, NODES_PREFIX).flatMap(({ key, value }) => {
    const name = key.slice(NODES_PREFIX.length);
    if (name === nodeName) return [];
    // A Node that cannot be understood is no reason to refuse ours.
    const theirs = readable(
      () => undefined,
      () => nodeField(value, key, 'bgp', ADDRESS_FIELDS[own.family]),
    );
    const address = theirs === undefined ? undefined : parseRecorded(theirs)?.address;
    if (address?.value !== own.value) return [];
    const plain = plainAddress(text ?? '');
    return [`Calico node '${name}' is already using the IPv${own.family} address ${plain}`];
  });
}

/** An address that was found, and is another's, is given up, so that the other can use the one we had. */
function refuse(
  request: RegistrationRequest,
  view: View,
  recorded: PerFamily<string | undefined>,
  told: Pick<Registered, 'warnings' | 'conflict'>,
): Decision<Registered> {
  const entry = entryAt(view, nodeKey(request.nodeName));
  const isCleared = (family: 4 | 6) => request.settings.addresses[family].use === 'detected';
  const cleared = FAMILIES.filter((family) => recorded[family] !== undefined && isCleared(family));
  const bgp = Object.fromEntries(cleared.map((family) => [ADDRESS_FIELDS[family], undefined]));
  const value = entry && withNodeFields(entry.value, entry.key, { bgp });
  const addresses = {
    4: isCleared(4) ? undefined : recorded[4],
    6: isCleared(6) ? undefined : recorded[6],
  };
  const outcome = { addresses, ...told };
  if (entry === undefined || value === undefined) return decisionOf([], outcome);
  const { key, revision } = entry;
  const what = `no address for node ${request.nodeName}`;
  return decisionOf([{ what, expect: { key, revision }, write: { type: 'put', key, value } }], outcome);
}

function nodePart(
  request: RegistrationRequest,
  view: View,
  addresses: PerFamily<string | undefined>,
  isNew: boolean,
): Part | undefined {
  const { nodeName, settings, uuid, now } = request;
  const key = nodeKey(nodeName);
  const entry = entryAt(view, key);
  const fields = {
    bgp: {
      ipv4Address: addresses[4],
      ipv6Address: addresses[6],
      ...(settings.asNumber === undefined ? {} : { asNumber: settings.asNumber }),
    },
    spec: {
      // Addresses come and go; every node hears of each write.
      ...(isNew ? { interfaces: interfacesOf(request.host) } : {}),
      ...(settings.kubernetesNode === undefined
        ? {}
        : { orchRefs: [{ nodeName: settings.kubernetesNode, orchestrator: 'k8s' }] }),
    },
  };
  const value =
    entry === undefined
      ? newNodeRecord({ name: nodeName, uid: uuid(), creationTimestamp: now }, fields)
      : withNodeFields(entry.value, key, fields);
  if (value === undefined) return undefined;
  const shown = FAMILIES.flatMap((family) => addresses[family] ?? []).join(', ') || 'no address';
  const expect = { key, revision: entry?.revision ?? ABSENT };
  return { what: `node ${nodeName} with ${shown}`, expect, write: { type: 'put', key, value } };
}

/** Names and plain addresses, by name, of what may be the host's own. */
function interfacesOf(host: HostInterfaces): readonly object[] | undefined {
  const byName = Map.groupBy(localAddresses(host), ({ ifName }) => ifName);
  const interfaces = [...byName]
    .filter(([name]) => !USUALLY_SKIPPED.some((regExp) => regExp.test(name)))
    .map(([name, locals]) => ({
      name,
      addresses: locals.map(({ network }) => formatIpAddress(network.address)),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return interfaces.length > 0 ? interfaces : undefined;
}

function clusterPart({ uuid, now }: RegistrationRequest, view: View): Part | undefined {
  if (entryAt(view, CLUSTER_INFORMATION_KEY) !== undefined) return undefined;
  const identity = { name: 'default', uid: uuid(), creationTimestamp: now };
  return created(
    'cluster information',
    CLUSTER_INFORMATION_KEY,
    encodeNewClusterInformation(identity, uuid().replaceAll('-', '')),
  );
}

/** Only where the family has no pool at all; one that cannot be understood may be of any family. */
function poolParts({ settings, uuid, now }: RegistrationRequest, view: View): readonly Part[] {
  const families = entriesUnder(view, IP_POOLS_PREFIX).map(
    ({ key, value }) =>
      readable(
        () => undefined,
        () => decodeIpPool(value, key),
      )?.cidr.family,
  );
  return settings.pools
    .filter(({ cidr }) => !families.includes(cidr.family) && !families.includes(undefined))
    .map((pool) => {
      const identity = { name: pool.name, uid: uuid(), creationTimestamp: now };
      return created(`pool ${pool.name}`, ipPoolKey(pool.name), encodeWantedPool(identity, pool));
    });
}

function created(what: string, key: string, value: string): Part {
  return { what, expect: { key, revision: ABSENT }, write: { type: 'put', key, value } };
}
