/**
 * Who gives the pod its addresses. Our own allocator does when `ipam.type` names this very executable: then the
 * addresses are part of the one transaction that writes all records. Any other plugin is run as the CNI
 * specification says, and run again to take its answer back.
 */

import { CalicoError } from '../../base/calico-error.ts';
import type { IpNetwork } from '../../base/cidr.ts';
import { type Deadline, deadlineIn } from '../../base/deadline.ts';
import { type Delegate, delegateAdd, delegateDel, findPlugin, isSameExecutable } from '../../cni/delegate.ts';
import type { CniRoute } from '../../cni/result.ts';
import type { Store } from '../../datastore/store.ts';
import { workloadFacts, workloadRanges } from '../../datastore/workload-records.ts';
import { ROLLBACK_BUDGET_MS } from '../budgets.ts';
import { type Job, settleJob } from '../job.ts';
import { type OwnAllocation, ownAllocation } from '../own-allocation.ts';
import type { Rollback } from '../rollback.ts';
import { type Attachment, checkAttachment } from './attachment.ts';

export type AddressSource =
  | { readonly from: 'allocator'; readonly allocation: OwnAllocation }
  | {
      readonly from: 'delegate';
      readonly addresses: readonly IpNetwork[];
      /** Of the delegate's result, which the main plugin passes on. */
      readonly routes: readonly CniRoute[];
    };

/** `own`: this very executable under its other name. Throws `config` or `delegate` when there is no such plugin. */
export function ipamPlugin({ conf, call }: Job): 'own' | { readonly path: string } {
  const path = findPlugin(conf.ipam.type, call.path);
  return isSameExecutable(path) ? 'own' : { path };
}

/** A container that has an endpoint keeps its addresses: a delegate would give it a second one. */
export async function giveAddresses(
  job: Job,
  store: Store,
  attachment: Attachment,
  rollback: Rollback,
): Promise<AddressSource> {
  const plugin = ipamPlugin(job);
  if (plugin === 'own') return { from: 'allocator', allocation: ownAllocation(job, job.world.clock.nowNs()) };
  const held = await heldAddresses(job, store, attachment);
  if (held.length > 0) return { from: 'delegate', addresses: held, routes: [] };

  const { ips, routes } = await delegateAdd(delegateOf(job, plugin.path), job.deadline, () =>
    rollbackDeadline(job),
  );
  rollback.push(`the addresses of ${plugin.path}`, () =>
    delegateDel(delegateOf(job, plugin.path), rollbackDeadline(job)),
  );
  if (ips.length === 0)
    throw new CalicoError('delegate', 'IPAM plugin returned no IP addresses in result', {
      details: plugin.path,
    });
  return { from: 'delegate', addresses: ips.map(({ address }) => address), routes };
}

export async function releaseFromDelegate(job: Job, path: string): Promise<void> {
  await delegateDel(delegateOf(job, path), job.deadline);
}

/** Looks before the delegate is asked: it shall not give an address to an attachment that cannot be made. */
async function heldAddresses(job: Job, store: Store, attachment: Attachment): Promise<readonly IpNetwork[]> {
  return settleJob(job, store, workloadRanges(job.ids), (view) => {
    const facts = workloadFacts(view, job.ids, job.log.warn);
    checkAttachment(attachment, facts);
    return { step: 'done', outcome: facts.endpoint?.value.ipNetworks ?? [] };
  });
}

function delegateOf({ call, world }: Job, path: string): Delegate {
  return {
    path,
    stdin: call.conf.text,
    cniVersion: call.conf.cniVersion,
    env: world.env,
    args: call.args,
    writeStderr: world.writeStderr,
  };
}

function rollbackDeadline({ world }: Job): Deadline {
  return deadlineIn(world.clock, ROLLBACK_BUDGET_MS, 'rollback');
}
