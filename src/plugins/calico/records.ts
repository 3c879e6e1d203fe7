/** Writes and takes back the records of one ADD. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { randomMacAddress } from '../../base/mac-address.ts';
import { ipamRanges } from '../../datastore/ipam-records.ts';
import type { Store } from '../../datastore/store.ts';
import { workloadFacts, workloadRanges, workloadTransaction } from '../../datastore/workload-records.ts';
import { isOnHost } from '../../network/find-link.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { isOfContainer, type WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { handleIdOf } from '../handle-id.ts';
import { lockIpam } from '../ipam-lock.ts';
import { type Job, settleJob } from '../job.ts';
import { type Rollback, rollbackDeadline } from '../rollback.ts';
import type { AddressSource } from './address-source.ts';
import type { AskedEndpoint } from './asked-endpoint.ts';
import type { Attachment } from './attachment.ts';
import { type AddInputs, type AddOutcome, type BeforeAdd, decideAdd } from './decide-add.ts';
import { decideDel } from './decide-del.ts';

/** Addresses, endpoint and profile, in one transaction, and how they are taken back. */
export async function writeRecords(
  job: Job,
  store: Store,
  source: AddressSource,
  attachment: Attachment,
  asked: AskedEndpoint,
  rollback: Rollback,
): Promise<AddOutcome> {
  const { ids, conf, log } = job;
  const inputs = addInputs(job, source, attachment, asked);
  const handleIds = source.from === 'allocator' ? [handleIdOf(conf.name, ids)] : [];
  const ranges = [
    ...workloadRanges(ids, asked.ownProfile),
    ...ipamRanges({ nodeName: ids.nodeName, handleIds }),
  ];
  // Also for a delegate's addresses: the names of host interfaces are chosen here.
  using _lock = await lockIpam(job);
  let attempted: BeforeAdd | undefined;
  const outcome = await settleJob(
    job,
    store,
    ranges,
    (view) => decideAdd({ ...inputs, attempted }, view, log.warn),
    async ({ before }) => {
      // Beforehand: a write whose answer is lost may have been made all the same.
      if (attempted === undefined) {
        rollback.push('the records in the datastore', async () => {
          if (attempted !== undefined) await takeBackRecords(job, store, source, attempted);
        });
      }
      attempted = before;
    },
  );
  for (const note of outcome.notes) log.info(note);
  return outcome;
}

/** A dataplane chooses its own names: the endpoint is made to say them. */
export async function recordInterface(
  job: Job,
  store: Store,
  written: WorkloadEndpoint,
  { hostIfName, containerMac }: PodNetwork,
): Promise<WorkloadEndpoint> {
  const made = { interfaceName: hostIfName, mac: containerMac };
  if (written.interfaceName === hostIfName && written.mac === containerMac) return written;
  return settleJob(job, store, workloadRanges(job.ids), (view) => {
    const { endpoint } = workloadFacts(view, job.ids, job.log.warn);
    if (endpoint === undefined || !isOfContainer(endpoint.value, job.ids.containerId)) {
      throw new CalicoError(
        'conflict',
        `workload endpoint ${written.namespace}/${written.name} was taken away meanwhile`,
      );
    }
    const to = { ...endpoint.value, ...made };
    const { namespace, name } = to;
    const change = { record: 'endpoint', namespace, name, from: endpoint.revision, to } as const;
    return { step: 'commit', transaction: workloadTransaction([change]), outcome: to };
  });
}

/**
 * Puts the endpoint back as it was. What was taken over from the pod's sandbox before this one goes back there, unless
 * it was deleted meanwhile; the container keeps what it had before, and all other addresses are released.
 */
async function takeBackRecords(
  job: Job,
  store: Store,
  source: AddressSource,
  before: BeforeAdd,
): Promise<void> {
  const { ids, conf, world, log, phases } = job;
  const inputs = {
    ids,
    handleIds: source.from === 'allocator' ? [handleIdOf(conf.name, ids)] : [],
    nowNs: world.clock.nowNs(),
    isInUse: () => false,
    // Interfaces of another program's dataplane may be anywhere.
    isOnHost: conf.dataplane.type === 'grpc' ? () => true : isOnHost,
    restore: before,
  };
  const ranges = [
    ...workloadRanges(ids),
    ...ipamRanges({ nodeName: ids.nodeName, handleIds: inputs.handleIds }),
  ];
  const ownTime = { world, log, phases, deadline: rollbackDeadline(world) };
  const { released } = await settleJob(ownTime, store, ranges, (view) => decideDel(inputs, view, log.warn));
  if (released.length > 0)
    log.info('gave the addresses back', { addresses: released.map(formatIpAddress).join(',') });
}

function addInputs(
  { world }: Job,
  source: AddressSource,
  attachment: Attachment,
  asked: AskedEndpoint,
): AddInputs {
  return {
    ...attachment,
    ...asked,
    source,
    freshMac: randomMacAddress(world.random.bytes(6)),
    endpointUid: world.random.uuid(),
    profileUid: world.random.uuid(),
    nowNs: world.clock.nowNs(),
  };
}
