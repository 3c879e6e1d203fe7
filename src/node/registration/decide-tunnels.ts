/**
 * The addresses of this host's ends of tunnels. What IPAM holds and what the Node says change together, so that no cut
 * leaves an address that nobody uses, or one that is used and nobody's. Pure.
 */

import { containsAddress } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress, sameAddress, tryParseIpAddress } from '../../base/ip-address.ts';
import { readable } from '../../datastore/codecs/readable.ts';
import { ipamFacts, ipamRanges, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { IP_POOLS_PREFIX, nodeKey } from '../../datastore/keys.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { Entry, Range } from '../../datastore/store.ts';
import { entriesUnder, entryAt, type View } from '../../datastore/view.ts';
import { addressOf } from '../../ipam/allocation-block.ts';
import type { IpamFacts, Look } from '../../ipam/facts.ts';
import { findHoldings, type Holding } from '../../ipam/holdings.ts';
import { lookAtBlocks } from '../../ipam/look.ts';
import { planAssignment } from '../../ipam/plan-assignment.ts';
import { planRelease } from '../../ipam/plan-release.ts';
import type { IpamChange, IpPool } from '../../ipam/records.ts';
import { matchesSelector } from '../../ipam/selector/evaluate.ts';
import { parseSelector } from '../../ipam/selector/parse.ts';
import { decodePool } from '../decode-pool.ts';
import { type NodeFields, nodeField, withNodeFields } from './node-record.ts';
import { factsAfter, mergeChanges } from './successive-changes.ts';
import { TUNNEL_KINDS, type TunnelKind, tunnelHandleId } from './tunnel-kind.ts';

export interface TunnelRequest {
  readonly nodeName: string;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /** Told of records that cannot be understood. */
  readonly warn: (text: string) => void;
}

export interface Tunnels {
  /** What was done, in words; empty: everything was right. */
  readonly written: readonly string[];
  /** There is no Node yet, so no addresses either. */
  readonly isNodeMissing: boolean;
}

export function tunnelRanges(nodeName: string): readonly Range[] {
  return ipamRanges({ nodeName, handleIds: TUNNEL_KINDS.map((kind) => tunnelHandleId(kind, nodeName)) });
}

/** Throws `no-address` and what else IPAM throws when a tunnel needs an address and cannot have one. */
export function decideTunnels(request: TunnelRequest, view: View): Decision<Tunnels> {
  const entry = entryAt(view, nodeKey(request.nodeName));
  if (entry === undefined) return { step: 'done', outcome: { written: [], isNodeMissing: true } };
  let facts = ipamFacts(view, request, request.warn);
  const pools = poolsByKind(request, view, facts);
  const changes: IpamChange[] = [];
  const steps: KindStep[] = [];
  for (const kind of TUNNEL_KINDS) {
    const step = decideKind({ request, kind, facts, node: entry, pools: pools(kind) });
    if (step.outcome === 'look') return { step: 'look', ranges: lookRanges(step.look) };
    facts = factsAfter(facts, request.nodeName, step.changes);
    changes.push(...step.changes);
    steps.push(step);
  }
  return decisionOf(entry, steps, mergeChanges(changes));
}

interface KindStep {
  readonly outcome: 'decided';
  readonly kind: TunnelKind;
  readonly address: IpAddress | undefined;
  readonly changes: readonly IpamChange[];
}
type MustLook = { readonly outcome: 'look'; readonly look: Look };

function decisionOf(
  node: Entry,
  steps: readonly KindStep[],
  changes: readonly IpamChange[],
): Decision<Tunnels> {
  const told = steps.filter(({ kind, address }) => textOf(address) !== recorded(node, kind));
  const value = withNodeFields(node.value, node.key, fieldsOf(steps));
  const isDone = value === undefined && changes.every(({ to }) => to === 'unchanged');
  const ipam = ipamTransaction(isDone ? [] : changes);
  const written = told.map(
    ({ kind, address }) => `${kind.type} ${textOf(address) ?? 'is not needed any more'}`,
  );
  const outcome: Tunnels = {
    written: written.length > 0 || isDone ? written : ['addresses of tunnels that IPAM held in vain'],
    isNodeMissing: false,
  };
  const write = value === undefined ? [] : [{ type: 'put' as const, key: node.key, value }];
  const { key, revision } = node;
  const expect = isDone ? [] : [{ key, revision }];
  return commitOrDone({ expect: [...ipam.expect, ...expect], write: [...ipam.write, ...write] }, outcome);
}

function fieldsOf(steps: readonly KindStep[]): NodeFields {
  const fields = (where: 'spec' | 'bgp') =>
    Object.fromEntries(
      steps
        .filter(({ kind }) => kind.field.in === where)
        .map(({ kind, address }) => [kind.field.name, textOf(address)]),
    );
  return { spec: fields('spec'), bgp: fields('bgp') };
}

function recorded({ value, key }: Entry, { field }: TunnelKind): string | undefined {
  return nodeField(value, key, ...(field.in === 'bgp' ? ['bgp'] : []), field.name);
}

function textOf(address: IpAddress | undefined): string | undefined {
  return address && formatIpAddress(address);
}

interface KindQuestion {
  readonly request: TunnelRequest;
  readonly kind: TunnelKind;
  readonly facts: IpamFacts;
  readonly node: Entry;
  /** From which an address may be, in order; none: the tunnel is not needed. */
  readonly pools: readonly IpPool[];
}

/** What is held in one of the pools stays, rather what the Node says; the rest goes back; a new one if none stays. */
function decideKind(question: KindQuestion): KindStep | MustLook {
  const { request, kind, facts, pools } = question;
  const handleId = tunnelHandleId(kind, request.nodeName);
  const holdings = findHoldings(handleId, facts, request.nowNs);
  if (holdings.unread.length > 0) return { outcome: 'look', look: lookAtBlocks(holdings.unread) };
  const kept = keptAddress(question, holdings.held);
  const release = planRelease(
    {
      handleIds: [handleId],
      nodeName: request.nodeName,
      nowNs: request.nowNs,
      ...(kept === undefined ? {} : { keep: [kept] }),
    },
    facts,
  );
  if (release.outcome === 'look') return release;
  if (kept !== undefined) {
    const changes = [...guards(holdings.held, kept), ...release.changes];
    return { outcome: 'decided', kind, address: kept, changes: mergeChanges(changes) };
  }
  if (pools.length === 0) return { outcome: 'decided', kind, address: undefined, changes: release.changes };
  return assignNew(question, handleId, release.changes);
}

function assignNew(
  { request, kind, facts, pools }: KindQuestion,
  handleId: string,
  released: readonly IpamChange[],
): KindStep | MustLook {
  const { nodeName, nowNs } = request;
  const plan = planAssignment(
    {
      nodeName,
      handleId,
      owner: { node: nodeName, type: kind.type },
      families: [kind.family],
      requestedPools: pools.map(({ cidr }) => cidr),
      requestedAddresses: [],
      namespaceLabels: {},
      use: 'Tunnel',
      nowNs,
    },
    factsAfter(facts, nodeName, released),
  );
  if (plan.outcome === 'look') return plan;
  const address = plan.addresses[0]?.address;
  return { outcome: 'decided', kind, address, changes: mergeChanges([...released, ...plan.changes]) };
}

function keptAddress({ kind, node, pools }: KindQuestion, held: readonly Holding[]): IpAddress | undefined {
  const valid = addressesOf(held).filter((address) =>
    pools.some(({ cidr }) => containsAddress(cidr, address)),
  );
  const asRecorded = tryParseIpAddress(recorded(node, kind) ?? '');
  return valid.find((address) => asRecorded !== undefined && sameAddress(address, asRecorded)) ?? valid[0];
}

/** Nobody may take it for a leak before the Node says that it is none. */
function guards(held: readonly Holding[], kept: IpAddress): readonly IpamChange[] {
  return held
    .filter((holding) => addressesOf([holding]).some((address) => sameAddress(address, kept)))
    .map(({ cidr, revision }) => ({ record: 'block', cidr, from: revision, to: 'unchanged' }));
}

function addressesOf(held: readonly Holding[]): readonly IpAddress[] {
  return held.flatMap(({ block, ordinals }) => ordinals.map((ordinal) => addressOf(block, ordinal)));
}

/** As Calico chooses them: enabled, for tunnels, of the mode, and for this node; namespaces do not matter. */
function poolsByKind(
  { warn }: TunnelRequest,
  view: View,
  { pools, node }: IpamFacts,
): (kind: TunnelKind) => readonly IpPool[] {
  const modes = new Map(
    entriesUnder(view, IP_POOLS_PREFIX).flatMap(({ key, value }) => {
      const name = key.slice(IP_POOLS_PREFIX.length);
      const pool = readable(warn, () => decodePool(value, key, name));
      return pool === undefined ? [] : [[pool.name, pool] as const];
    }),
  );
  const usable = pools.filter(
    ({ enabled, allowedUses, nodeSelector }) =>
      enabled &&
      allowedUses.includes('Tunnel') &&
      matchesSelector(parseSelector(nodeSelector), node?.labels ?? {}),
  );
  return (kind) =>
    usable.filter(({ name, cidr }) => {
      const mode = modes.get(name);
      return cidr.family === kind.family && mode !== undefined && kind.isUsedBy(mode);
    });
}
