/**
 * Who gives the pod its addresses. Our own allocator does when `ipam.type` names this very executable: then the
 * addresses are part of the one transaction that writes all records. Any other plugin is run as the CNI
 * specification says, and run again to take its answer back. A pod may also bring its own.
 */

import { CalicoError } from '../../base/calico-error.ts';
import { hostNetwork, type IpNetwork } from '../../base/cidr.ts';
import type { CniRoute } from '../../cni/result.ts';
import type { Store } from '../../datastore/store.ts';
import { workloadFacts, workloadRanges } from '../../datastore/workload-records.ts';
import type { PodSettings } from '../../kubernetes/pod-settings.ts';
import { isOfContainer } from '../../workload/workload-endpoint.ts';
import { type Job, settleJob } from '../job.ts';
import type { CallApi } from '../kubernetes-api.ts';
import type { KubernetesPod } from '../kubernetes-pod.ts';
import { type OwnAllocation, ownAllocation } from '../own-allocation.ts';
import type { Rollback } from '../rollback.ts';
import { type Attachment, checkAttachment } from './attachment.ts';
import { askDelegate, delegateFor, ipamPlugin, takeBackFromDelegate } from './delegates.ts';

export type AddressSource =
  | { readonly from: 'allocator'; readonly allocation: OwnAllocation }
  | {
      readonly from: 'elsewhere';
      readonly addresses: readonly IpNetwork[];
      /** Of a delegate's result, which the main plugin passes on. */
      readonly routes: readonly CniRoute[];
    };

export interface AddressInputs {
  readonly api: CallApi;
  readonly store: Store;
  readonly attachment: Attachment;
  readonly pod: KubernetesPod | undefined;
  readonly rollback: Rollback;
}

/** A container that has an endpoint keeps its addresses: a delegate would give it a second one. */
export async function giveAddresses(job: Job, inputs: AddressInputs): Promise<AddressSource> {
  const { api, pod, rollback } = inputs;
  const asked = pod?.settings.addresses ?? { from: 'automatic' };
  if (asked.from === 'ipAddrsNoIpam') return elsewhere(asked.addresses.map(hostNetwork));
  const named = asked.from === 'ipAddrs' ? asked.addresses : undefined;
  const plugin = ipamPlugin(job);
  if (plugin === 'own') return { from: 'allocator', allocation: allocationFor(job, pod, named) };
  const held = await heldAddresses(job, inputs);
  if (held.length > 0) return elsewhere(held);

  const delegate = await delegateFor(job, plugin.path, api, pod);
  const { ips, routes } = await askDelegate(job, delegate, named ?? []);
  rollback.push(`the addresses of ${plugin.path}`, () => takeBackFromDelegate(job, delegate));
  if (ips.length === 0)
    throw new CalicoError('delegate', 'IPAM plugin returned no IP addresses in result', {
      details: plugin.path,
    });
  return elsewhere(
    ips.map(({ address }) => address),
    routes,
  );
}

function elsewhere(addresses: readonly IpNetwork[], routes: readonly CniRoute[] = []): AddressSource {
  return { from: 'elsewhere', addresses, routes };
}

function allocationFor(
  job: Job,
  pod: KubernetesPod | undefined,
  addresses: OwnAllocation['request']['requestedAddresses'] | undefined,
): OwnAllocation {
  const nowNs = job.world.clock.nowNs();
  if (pod === undefined) return ownAllocation(job, nowNs);
  const { families, ipv4Pools, ipv6Pools } = pod.settings;
  const { namespaceLabels } = pod;
  const askedBy = annotationsBehind(pod.settings);
  return ownAllocation(job, nowNs, { families, ipv4Pools, ipv6Pools, namespaceLabels, addresses, askedBy });
}

/** Those that say which addresses the pod gets; `undefined` when there is none of them. */
function annotationsBehind({ pod, ...asked }: PodSettings): string | undefined {
  const names = [
    ...(asked.ipv4Pools === undefined ? [] : ['ipv4pools']),
    ...(asked.ipv6Pools === undefined ? [] : ['ipv6pools']),
    ...(asked.families === undefined ? [] : ['ipFamilies']),
    ...(asked.addresses.from === 'automatic' ? [] : [asked.addresses.from]),
  ];
  if (names.length === 0) return undefined;
  return `annotation ${names.map((name) => `cni.projectcalico.org/${name}`).join(', ')} of pod ${pod} or its namespace`;
}

/** Looks before the delegate is asked: it shall not give an address to an attachment that cannot be made. */
async function heldAddresses(job: Job, { store, attachment }: AddressInputs): Promise<readonly IpNetwork[]> {
  return settleJob(job, store, workloadRanges(job.ids), (view) => {
    const facts = workloadFacts(view, job.ids, job.log.warn);
    checkAttachment(attachment, facts);
    const endpoint = facts.endpoint?.value;
    const isOwn = endpoint !== undefined && isOfContainer(endpoint, job.ids.containerId);
    return { step: 'done', outcome: isOwn ? endpoint.ipNetworks : [] };
  });
}
