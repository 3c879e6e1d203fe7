/** One thing that is not as it should be. Pure. */

export interface Mismatch {
  /** What it is about: `interface eth0 in the sandbox`, `handle k8s-pod-network.0a1b`. */
  readonly object: string;
  readonly expected: string;
  readonly found: string;
}

/** `route 0.0.0.0/0: expected via 169.254.1.1 dev eth0, found missing` */
export function formatMismatch({ object, expected, found }: Mismatch): string {
  return `${object}: expected ${expected}, found ${found}`;
}
