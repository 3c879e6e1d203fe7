/** Whose the addresses of an endpoint are, compared with what their block says. Pure. */

import type { IpAddress } from '../../base/ip-address.ts';
import type { Attribute } from '../allocation-block.ts';
import { cleanHandleId } from '../handle-id.ts';
import { hashOf } from './hash.ts';

/** Of a workload endpoint, what says whose its addresses are. */
export interface EndpointUse {
  readonly addresses: readonly IpAddress[];
  readonly containerId: string | undefined;
  readonly podName: string | undefined;
  readonly namespace: string;
}

/** Hashes; {@link NOBODY} where there is none. */
export interface EndpointOwner {
  readonly container: number;
  readonly pod: number;
}

/** No hash is negative. */
export const NOBODY = -1;

export function ownerOf({ containerId, podName, namespace }: EndpointUse): EndpointOwner {
  return {
    container: containerId ? hashOf(containerId) : NOBODY,
    pod: podName === undefined ? NOBODY : hashOf(`${namespace}.${podName}`),
  };
}

/** By its container, or by the pod's name, which older plugins and takeovers leave under another container's handle. */
export function isOwner({ handleId, activeOwner, alternateOwner }: Attribute, owner: EndpointOwner): boolean {
  const id = cleanHandleId(handleId ?? '');
  if (owner.container === NOBODY || networkOf(id, owner) !== undefined) return true;
  const hash = hashOf(id);
  if (hash === owner.container) return true;
  if (owner.pod === NOBODY) return false;
  const isPods = (one: Attribute['activeOwner']) =>
    one?.pod !== undefined && hashOf(`${one.namespace}.${one.pod}`) === owner.pod;
  return hash === owner.pod || isPods(activeOwner) || isPods(alternateOwner);
}

/** The first part of the handle, where the endpoint tells it from the container. */
export function networkOf(handleId: string, { container }: EndpointOwner): string | undefined {
  for (let dot = handleId.indexOf('.'); dot >= 0; dot = handleId.indexOf('.', dot + 1))
    if (hashOf(handleId.slice(dot + 1)) === container) return handleId.slice(0, dot);
  return undefined;
}
