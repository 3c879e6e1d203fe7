/** What the plugins ask the Kubernetes API server. */

import type { Deadline } from '../base/deadline.ts';
import type { Namespace, Node, Pod } from './objects.ts';

/**
 * Each rejects with a CalicoError that names the server and the object, and the credential where that was refused:
 * `not-found`, `denied` for credentials and permissions, `config` for a server that is not trusted or not the right
 * one, `corrupt` for an answer that cannot be understood, `unavailable` for a server that is busy or silent.
 */
export interface KubernetesApi {
  pod(namespace: string, name: string, deadline: Deadline): Promise<Pod>;
  namespace(name: string, deadline: Deadline): Promise<Namespace>;
  node(name: string, deadline: Deadline): Promise<Node>;
  /** `v1.34.2`: the least that can be asked, to see whether there is a server that accepts us. */
  version(deadline: Deadline): Promise<string>;
  close(): void;
}
