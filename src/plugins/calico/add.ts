/**
 * ADD: gives a container an address and a network.
 *
 * Look at the kernel; take the address and write the records in one transaction; wire. The endpoint is written
 * before the interface exists, so that policy is in place before the first packet. Whatever fails is taken back
 * in reverse order, the address last.
 */

import { formatIpNetwork } from '../../base/cidr.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import type { CniResult } from '../../cni/result.ts';
import { openKernel } from '../../network/kernel.ts';
import { ADD_BUDGET_MS } from '../budgets.ts';
import { closeQuietly, openStore, prepareJob } from '../job.ts';
import { createRollback } from '../rollback.ts';
import type { World } from '../world.ts';
import { addResult, routesOf } from './add-result.ts';
import { giveAddresses } from './address-source.ts';
import { hostIfNames, podMtu, podNetwork } from './pod-network.ts';
import { takeBackRecords, writeRecords } from './records.ts';
import { requireSupported } from './require-supported.ts';
import { seeLinks, wirePod } from './wire-pod.ts';

export async function add(call: CniCall, world: World): Promise<CniResult> {
  const job = prepareJob(call, world, ADD_BUDGET_MS);
  requireSupported(job);
  const mtu = podMtu(job.conf);
  const rollback = createRollback();
  // Before the look at the kernel, so that etcd answers meanwhile.
  const store = await openStore(job);
  try {
    const looked = job.phases.start('look at the kernel');
    using kernel = openKernel(call.netnsPath);
    const names = hostIfNames(job);
    const seen = seeLinks(kernel, job.ids.ifName, names);
    const attachment = { ids: job.ids, netnsPath: call.netnsPath, hostIfNames: names, seen };
    looked();
    const source = await giveAddresses(job, store, attachment, rollback);
    const outcome = await writeRecords(job, store, source, attachment);
    rollback.push('the records in the datastore', () => takeBackRecords(job, store, source, outcome));
    const network = podNetwork(job, mtu, outcome);
    const wired = job.phases.start('wire the pod');
    wirePod(kernel, network, outcome.links, job.log);
    wired();
    job.log.debug('phases', { phases: job.phases.toString() });
    job.log.info('networked the container', {
      addresses: outcome.addresses.map(formatIpNetwork).join(','),
      hostInterface: network.hostIfName,
      milliseconds: job.elapsedMs(),
    });
    return addResult(network, mtu, source.from === 'delegate' ? source.routes : routesOf(outcome.addresses));
  } catch (error) {
    await rollback.run(job.log);
    throw error;
  } finally {
    await closeQuietly(store, job.log);
  }
}
