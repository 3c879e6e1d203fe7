/**
 * Which network and which container a handle is of. Pure.
 *
 * A handle is `<network>.<containerID>`, and both may hold dots: `a.b.c` is container `b.c` of network `a`, or container
 * `c` of network `a.b`. A network's GC must not touch another network's containers, so where the text alone leaves a
 * choice something else has to settle it, and without that the handle is nobody's to collect.
 */

/** What is known beside the text. */
export interface HandleEvidence {
  /** `network` of the allocation's attribute, which our ADD writes where the text leaves a choice. */
  readonly network: string | undefined;
  /** Container of the workload endpoint that has the address. */
  readonly containerId: string | undefined;
}

export interface HandleOwner {
  readonly network: string;
  readonly containerId: string;
}

/** `undefined`: it cannot be told, or the handle is not of this form. */
export function handleOwner(handleId: string, evidence: HandleEvidence): HandleOwner | undefined {
  return (
    splitAfter(handleId, evidence.network) ??
    splitBefore(handleId, evidence.containerId) ??
    (isAmbiguousHandleId(handleId) ? splitBefore(handleId, runtimeIdAtEnd(handleId)) : splitAtDot(handleId))
  );
}

/** Whether there is more than one way to read it. */
export function isAmbiguousHandleId(handleId: string): boolean {
  return handleId.indexOf('.') !== handleId.lastIndexOf('.');
}

/** The IDs that containerd, CRI-O and Docker give sandboxes; no network that anybody named ends in such a part. */
function runtimeIdAtEnd(handleId: string): string | undefined {
  return /(?<=\.)[0-9a-f]{64}$/.exec(handleId)?.[0];
}

function splitAtDot(handleId: string): HandleOwner | undefined {
  const dot = handleId.indexOf('.');
  return dot < 0 ? undefined : splitAfter(handleId, handleId.slice(0, dot));
}

function splitAfter(handleId: string, network: string | undefined): HandleOwner | undefined {
  if (!network || !handleId.startsWith(`${network}.`)) return undefined;
  return ownerOf(network, handleId.slice(network.length + 1));
}

function splitBefore(handleId: string, containerId: string | undefined): HandleOwner | undefined {
  if (!containerId || !handleId.endsWith(`.${containerId}`)) return undefined;
  return ownerOf(handleId.slice(0, -containerId.length - 1), containerId);
}

function ownerOf(network: string, containerId: string): HandleOwner | undefined {
  return network === '' || containerId === '' ? undefined : { network, containerId };
}
