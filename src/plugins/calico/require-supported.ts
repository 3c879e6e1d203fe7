/** What an ADD must not even begin: names Calico's records cannot hold, and settings this version does not act on. */

import { CalicoError } from '../../base/calico-error.ts';
import { validateEndpoint } from '../../workload/validate-endpoint.ts';
import type { Job } from '../job.ts';

/** Throws `unsupported`, `config` or `environment`. A DEL does not ask: what was never added is gone already. */
export function requireSupported({ ids, conf }: Job): void {
  if (ids.orchestrator === 'k8s' || conf.policyType === 'k8s') {
    throw unsupported('Kubernetes pods', 'leave out policy.type "k8s" and the K8S_ keys of CNI_ARGS');
  }
  if (conf.dataplane.type !== 'linux')
    throw unsupported(`dataplane_options.type "${conf.dataplane.type}"`, 'leave out dataplane_options');
  if (conf.readinessGates.length > 0) throw unsupported('readiness_gates', 'leave out readiness_gates');
  if (conf.features.ipAddrsNoIpam) {
    throw new CalicoError('config', 'requested feature is not supported for this runtime: ip_addrs_no_ipam');
  }
  validateEndpoint(ids, [conf.name]);
}

function unsupported(what: string, details: string): CalicoError {
  return new CalicoError('unsupported', `${what}: not supported by this version`, { details });
}
