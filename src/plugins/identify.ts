/** Which workload a call is about. Pure. */

import { parseArgs, type RuntimeArgs } from '../cni/args.ts';
import type { CniCall } from '../cni/dispatch.ts';
import type { CalicoConf } from '../config/calico-conf.ts';
import type { WorkloadIdentifiers } from '../workload/identifiers.ts';
import { mesosNamespace } from '../workload/mesos-labels.ts';
import { isStorableName } from '../workload/validate-endpoint.ts';

/** A pod where the runtime names one, else a container of its own. */
export function identify(
  call: CniCall,
  conf: CalicoConf,
  args: RuntimeArgs,
  nodeName: string,
): WorkloadIdentifiers {
  const { containerId, ifName } = call;
  const { podName, podNamespace } = args;
  // A name that cannot be stored was never stored: a DEL then finds nothing, an ADD is told before it begins.
  const isPossible = (...names: readonly string[]) => call.command === 'ADD' || names.every(isStorableName);
  if (podName && podNamespace && isPossible(podName, podNamespace)) {
    return { orchestrator: 'k8s', nodeName, namespace: podNamespace, containerId, ifName, podName };
  }
  const asked = mesosNamespace(conf.mesosLabels) ?? args.testNamespace;
  const namespace = asked && isPossible(asked) ? asked : 'default';
  return { orchestrator: 'cni', nodeName, namespace, containerId, ifName, podName: undefined };
}

/** As far as it can be told from the environment alone: enough to know the names of the interfaces. */
export function identifyLeniently(call: CniCall): WorkloadIdentifiers {
  const { containerId, ifName } = call;
  const { podName, podNamespace } = runtimeArgs(call);
  const base = { nodeName: '', containerId, ifName };
  return podName && podNamespace
    ? { ...base, orchestrator: 'k8s', namespace: podNamespace, podName }
    : { ...base, orchestrator: 'cni', namespace: 'default', podName: undefined };
}

/** Throws `environment` for an ADD and a CHECK. To a DEL, arguments that cannot be read say nothing. */
export function runtimeArgs(call: CniCall): RuntimeArgs {
  try {
    return parseArgs(call.args);
  } catch (error) {
    if (call.command === 'ADD' || call.command === 'CHECK') throw error;
    return {};
  }
}
