/** ADD and DEL as far as the datastore sees them: the very decisions of the plugins, without a kernel. */

import { formatIpAddress, type IpAddress, type IpFamily } from '../../src/base/ip-address.ts';
import { parseMacAddress } from '../../src/base/mac-address.ts';
import { formatGoTime } from '../../src/base/time.ts';
import { ipamRanges } from '../../src/datastore/ipam-records.ts';
import { settle } from '../../src/datastore/settle.ts';
import type { Store } from '../../src/datastore/store.ts';
import { workloadRanges } from '../../src/datastore/workload-records.ts';
import { type AddOutcome, type BeforeAdd, decideAdd } from '../../src/plugins/calico/decide-add.ts';
import { decideDel } from '../../src/plugins/calico/decide-del.ts';
import { handleIdOf, handleIdsOf } from '../../src/plugins/handle-id.ts';
import type { WorkloadIdentifiers } from '../../src/workload/identifiers.ts';
import { endlessDeadline, instantClock } from './cut-line.ts';

export const NETWORK_NAME = 'net1';

export interface RecordCall {
  readonly containerId: string;
  readonly nodeName: string;
  readonly families?: readonly IpFamily[];
  readonly requestedAddresses?: readonly IpAddress[];
  /** Pod of namespace `test`; `undefined`: what is added is no pod. */
  readonly podName?: string;
  readonly nowNs?: bigint;
  /** Whether the host has an interface of the name; of all names, unless it is said. */
  readonly isOnHost?: (hostIfName: string) => boolean;
}

export const RECORD_TIME_NS = 1_795_257_492_500_000_000n;

/** Gives back the addresses, as text. */
export function addRecords(call: RecordCall): (store: Store) => Promise<readonly string[]> {
  const write = recordWriter(call);
  return async (store) => {
    const { addresses } = await write(store);
    return addresses.map(({ address }) => formatIpAddress(address));
  };
}

/** An ADD that cannot wire the pod and takes its records back. Gives back the addresses that were released. */
export function failedAddRecords(call: RecordCall): (store: Store) => Promise<readonly string[]> {
  const write = recordWriter(call);
  const handleIds = [handleIdOf(NETWORK_NAME, identifiers(call))];
  return async (store) => {
    const { before } = await write(store);
    return removeRecords(call, handleIds, before)(store);
  };
}

export function delRecords(call: RecordCall): (store: Store) => Promise<readonly string[]> {
  return removeRecords(call, handleIdsOf(NETWORK_NAME, identifiers(call)), undefined);
}

function recordWriter(call: RecordCall): (store: Store) => Promise<AddOutcome> {
  const ids = identifiers(call);
  const nowNs = call.nowNs ?? RECORD_TIME_NS;
  const handleId = handleIdOf(NETWORK_NAME, ids);
  const inputs = {
    ids,
    netnsPath: '/run/netns/pod',
    profiles: [NETWORK_NAME],
    ownProfile: NETWORK_NAME,
    settings: undefined,
    wantedMac: undefined,
    labels: {},
    source: {
      from: 'allocator' as const,
      allocation: {
        networkName: NETWORK_NAME,
        request: {
          nodeName: ids.nodeName,
          handleId,
          owner: {
            ...(ids.podName === undefined ? {} : { namespace: ids.namespace, pod: ids.podName }),
            node: ids.nodeName,
            timestamp: formatGoTime(nowNs),
          },
          families: call.families ?? [4 as const],
          requestedAddresses: call.requestedAddresses ?? [],
          namespaceLabels: {},
          use: 'Workload' as const,
          nowNs,
        },
        ipv4Pools: [],
        ipv6Pools: [],
      },
    },
    hostIfNames: {
      usual: `cali${call.podName ?? call.containerId}`,
      alternative: `cali2${call.containerId}`,
    },
    seen: { container: undefined, host: [] },
    freshMac: parseMacAddress('02:00:00:00:00:01'),
    endpointUid: 'endpoint',
    profileUid: 'profile',
    nowNs,
  };
  const ranges = [
    ...workloadRanges(ids, NETWORK_NAME),
    ...ipamRanges({ nodeName: ids.nodeName, handleIds: [handleId] }),
  ];
  return async (store) => {
    let attempted: BeforeAdd | undefined;
    return settle({
      ...settling(store, nowNs),
      ranges,
      decide: (view) => decideAdd({ ...inputs, attempted }, view, fail),
      beforeCommit: async ({ before }) => {
        attempted = before;
      },
    });
  };
}

function removeRecords(
  call: RecordCall,
  handleIds: readonly string[],
  restore: BeforeAdd | undefined,
): (store: Store) => Promise<readonly string[]> {
  const ids = identifiers(call);
  const nowNs = call.nowNs ?? RECORD_TIME_NS;
  const inputs = {
    ids,
    handleIds,
    nowNs,
    isInUse: () => false,
    isOnHost: call.isOnHost ?? (() => true),
    restore,
  };
  const ranges = [
    ...workloadRanges(ids),
    ...ipamRanges({ nodeName: ids.nodeName, handleIds: inputs.handleIds }),
  ];
  return async (store) => {
    const { released } = await settle({
      ...settling(store, nowNs),
      ranges,
      decide: (view) => decideDel(inputs, view, fail),
    });
    return released.map(formatIpAddress);
  };
}

function settling(store: Store, nowNs: bigint) {
  return { store, deadline: endlessDeadline(), clock: instantClock(nowNs), random: () => 0.5 };
}

function identifiers({ containerId, nodeName, podName }: RecordCall): WorkloadIdentifiers {
  const isPod = podName !== undefined;
  return {
    orchestrator: isPod ? 'k8s' : 'cni',
    nodeName,
    namespace: isPod ? 'test' : 'default',
    containerId,
    ifName: 'eth0',
    podName,
  };
}

function fail(text: string): never {
  throw new Error(`unreadable data: ${text}`);
}
