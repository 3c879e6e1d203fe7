/** How a pod's network is made: by this program, or by the dataplane that `dataplane_options` names. */

import { hostNetwork } from '../../base/cidr.ts';
import type { CniCall } from '../../cni/dispatch.ts';
import type { DataplaneConf } from '../../config/calico-conf.ts';
import { addToDataplane, delFromDataplane, mayHaveBeenMade } from '../../dataplane/grpc-dataplane.ts';
import { openKernel } from '../../network/kernel.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { openSandboxLink } from '../../network/remove-pod.ts';
import { isOfContainer } from '../../workload/workload-endpoint.ts';
import type { Job } from '../job.ts';
import type { KubernetesPod } from '../kubernetes-pod.ts';
import { type Rollback, rollbackDeadline } from '../rollback.ts';
import type { HostIfNames, SeenLinks } from './claim-links.ts';
import type { AddOutcome } from './decide-add.ts';
import { seeLinks, wirePod } from './wire-pod.ts';

export interface Wiring extends Disposable {
  /** What is there already and may be in the way. */
  readonly seen: SeenLinks;
  /** Gives the network as it was made: a dataplane chooses the names. What fails leaves nothing behind. */
  wire(network: PodNetwork, inputs: WiringInputs): Promise<PodNetwork>;
}

export interface WiringInputs {
  readonly outcome: AddOutcome;
  readonly pod: KubernetesPod | undefined;
  readonly rollback: Rollback;
}

/** Throws `netns` when the namespace cannot be entered. */
export function openWiring(job: Job, names: HostIfNames): Wiring {
  const { dataplane } = job.conf;
  return dataplane.type === 'grpc' ? dataplaneWiring(job, dataplane) : kernelWiring(job, names);
}

function kernelWiring({ call, ids, log }: Job, names: HostIfNames): Wiring {
  const kernel = openKernel(call.netnsPath);
  return {
    seen: seeLinks(kernel, ids.ifName, names),
    wire: async (network, { outcome, rollback }) => {
      const isNew = wirePod(kernel, network, outcome.links, log);
      if (isNew) rollback.push('the interface of the pod', () => removeInterface(call));
      return network;
    },
    [Symbol.dispose]: () => kernel[Symbol.dispose](),
  };
}

async function removeInterface({ netnsPath, ifName }: CniCall): Promise<void> {
  using link = openSandboxLink(netnsPath, ifName);
  await link.remove();
}

/** Links, routes and switches are the dataplane's business; what it has made is undone by it. */
function dataplaneWiring(job: Job, dataplane: Extract<DataplaneConf, { type: 'grpc' }>): Wiring {
  const { call, world, deadline } = job;
  const made = { containerIfName: call.ifName, netnsPath: call.netnsPath };
  return {
    seen: { container: undefined, host: [] },
    wire: async (network, { outcome: { addresses, endpoint, before }, pod, rollback }) => {
      // A repeated ADD that is refused must not cost a running pod its network.
      const isRepeated = before.endpoint !== undefined && isOfContainer(before.endpoint, job.ids.containerId);
      const undo = () => delFromDataplane(made, dataplane, rollbackDeadline(world));
      const pushUndo = () => isRepeated || rollback.push('the network that the dataplane made', undo);
      const ips = addresses.map(({ address }) => ({ address: hostNetwork(address) }));
      const described = { network, ips, endpoint, annotations: pod?.annotations ?? {} };
      try {
        const { hostIfName, containerMac } = await addToDataplane(described, dataplane, deadline);
        pushUndo();
        return { ...network, hostIfName, containerMac };
      } catch (error) {
        if (mayHaveBeenMade(error)) pushUndo();
        throw error;
      }
    },
    [Symbol.dispose]: () => undefined,
  };
}
