/** ADD of the IPAM plugin: addresses from the node's blocks, for whatever main plugin asks. */

import { formatIpNetwork, hostNetwork, type IpNetwork } from '../../base/cidr.ts';
import type { IpAddress } from '../../base/ip-address.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import type { CniResult } from '../../cni/result.ts';
import { ipamRanges, ipamTransaction, lookRanges } from '../../datastore/ipam-records.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { Store } from '../../datastore/store.ts';
import type { View } from '../../datastore/view.ts';
import { ADD_BUDGET_MS } from '../budgets.ts';
import { lockIpam } from '../ipam-lock.ts';
import { closeQuietly, type Job, loggingFailure, openStore, prepareJob, settleJob } from '../job.ts';
import { apiOf } from '../kubernetes-api.ts';
import { isKubernetesPod } from '../kubernetes-pod.ts';
import { type AskedOfIpam, type OwnAllocation, ownAllocation, planOwnAllocation } from '../own-allocation.ts';
import { requireAsker } from '../require-asker.ts';
import { createRollback, rollbackDeadline } from '../rollback.ts';
import type { World } from '../world.ts';
import { release } from './release.ts';

export async function add(call: CniCall, world: World): Promise<CniResult> {
  const job = prepareJob(call, world, ADD_BUDGET_MS);
  return loggingFailure(job, () => assign(job));
}

async function assign(job: Job): Promise<CniResult> {
  const { world } = job;
  const allocation = ownAllocation(job, world.clock.nowNs(), await askedByNamespace(job));
  const { nodeName, handleId } = allocation.request;
  const store = await openStore(job);
  const rollback = createRollback();
  try {
    const ranges = ipamRanges({ nodeName, handleIds: [handleId] });
    using _lock = await lockIpam(job);
    const decideNow = (view: View) => decide(allocation, view, job.log.warn);
    let isUndoable = false;
    const beforeCommit = async ({ held }: Assigned) => {
      requireAsker(world);
      // Only what the first try found was there before: what a later one finds may be this call's own.
      if (!isUndoable) rollback.push('the addresses', () => takeBack(job, store, allocation, held));
      isUndoable = true;
    };
    const { addresses } = await settleJob(job, store, ranges, decideNow, beforeCommit);
    job.log.info('assigned', {
      addresses: addresses.map(formatIpNetwork).join(','),
      milliseconds: job.elapsedMs(),
    });
    return ipamResult(addresses, job.conf.type === 'calico');
  } catch (error) {
    await rollback.run(job.log);
    throw error;
  } finally {
    await closeQuietly(store, job.log);
  }
}

/** A main plugin that was told of a failure may not call DEL, and a write whose answer is lost may have been made. */
async function takeBack(
  { world, log, phases }: Job,
  store: Store,
  { request: { nodeName, handleId } }: OwnAllocation,
  held: readonly IpAddress[],
): Promise<void> {
  const deadline = rollbackDeadline(world);
  const request = { nodeName, handleIds: [handleId], nowNs: world.clock.nowNs(), keep: held };
  await release({ world, log, phases, deadline }, store, request);
}

/** What selects pools by namespace; everything else the main plugin has put into the configuration. */
async function askedByNamespace(job: Job): Promise<AskedOfIpam> {
  if (!isKubernetesPod(job)) return {};
  using api = apiOf(job);
  const { labels } = await (await api.open()).namespace(job.ids.namespace, job.deadline);
  return { namespaceLabels: labels };
}

/**
 * Addresses with the mask of their block, and one route to each. Calico's main plugin takes an answer without routes
 * for "program none on the host", and expects the block's mask in them. The kernel refuses that mask from any other
 * main plugin unless the address happens to be the first of its block: those get a route to the single address.
 */
function ipamResult(addresses: readonly IpNetwork[], isForCalico: boolean): CniResult {
  return {
    interfaces: [],
    ips: addresses.map((address) => ({ address })),
    routes: addresses.map((network) => ({ dst: isForCalico ? network : hostNetwork(network.address) })),
    dns: {},
  };
}

interface Assigned {
  readonly addresses: readonly IpNetwork[];
  /** What the container had before. */
  readonly held: readonly IpAddress[];
}

function decide(allocation: OwnAllocation, view: View, warn: (text: string) => void): Decision<Assigned> {
  const plan = planOwnAllocation(allocation, view, warn);
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };
  const { addresses, held } = plan;
  return commitOrDone(ipamTransaction(plan.changes), { addresses, held });
}
