/** What the plugins ask the Kubernetes API server. */

import type { Deadline } from '../base/deadline.ts';
import type { Namespace, Node, Pod } from './objects.ts';

/**
 * Each rejects with a CalicoError that names the server, the object and the credential: `not-found`, `config` for
 * refused or expired credentials and for what cannot be read, `unavailable` for a server that does not answer in time.
 */
export interface KubernetesApi {
  pod(namespace: string, name: string, deadline: Deadline): Promise<Pod>;
  namespace(name: string, deadline: Deadline): Promise<Namespace>;
  node(name: string, deadline: Deadline): Promise<Node>;
  close(): void;
}
