/** Whether the datastore may be worked on at all: Calico locks it during upgrades. Pure. */

import { CalicoError } from '../base/calico-error.ts';

/** Takes ClusterInformation's `datastoreReady`, `undefined` when there is no such object. */
export function requireReady(datastoreReady: boolean | undefined): void {
  if (datastoreReady === true) return;
  if (datastoreReady === false) {
    throw new CalicoError('unavailable', 'Calico is currently not ready to process requests', {
      details: 'datastoreReady is false in ClusterInformation default: an upgrade or migration is under way',
    });
  }
  throw new CalicoError(
    'not-found',
    'error getting ClusterInformation: resource does not exist: ClusterInformation(default) with error: <nil>',
    {
      details:
        'The datastore holds no Calico cluster: check etcd_endpoints or datastore_path, or set the cluster up: calico bootstrap -h',
    },
  );
}
