/** What an ADD must not even begin: names that cannot be stored, and settings that do not go together. */

import { CalicoError } from '../../base/calico-error.ts';
import { parseServerAddress } from '../../dataplane/server-address.ts';
import { validateEndpoint, validateHostInterfaceName } from '../../workload/validate-endpoint.ts';
import type { Job } from '../job.ts';
import type { HostIfNames } from './claim-links.ts';

/** Throws `config` or `environment`. A DEL does not ask: what was never added is gone already. */
export function requireSupported({ ids, conf }: Job, names: HostIfNames): void {
  validateEndpoint(ids, []);
  if (conf.dataplane.type === 'grpc') parseServerAddress(conf.dataplane.socket);
  validateHostInterfaceName(names.usual);
  if (ids.orchestrator !== 'k8s' && conf.features.ipAddrsNoIpam) {
    throw new CalicoError('config', 'requested feature is not supported for this runtime: ip_addrs_no_ipam', {
      details: 'feature_control.ip_addrs_no_ipam is for pods of Kubernetes: leave it out',
    });
  }
}
