/** What the agent has to tell about the cluster or the host, as data: for the log, `status` and the metrics. Pure types. */

/**
 * - `unreadable-record`: a value in the datastore cannot be understood
 * - `invalid-setting`: a setting has a value that it cannot have, and its default is used
 * - `not-ready`: the datastore says that nobody may work with it
 * - `own-node-incomplete`: our own Node lacks what the pools need: object, address, tunnel address
 * - `parent-missing`: no interface of this host carries the address of our Node
 * - `peer-incomplete`: another node owns addresses, but its Node lacks what a route to it needs
 * - `peer-not-on-link`: a node of a pool without encapsulation is behind a router
 * - `masks-differ`: two nodes do not agree whether they are on one subnet
 * - `duplicate-address`: two nodes have one host address, tunnel address or MAC
 * - `overlapping-pools`: two pools have addresses in common
 * - `missing-module`: the kernel cannot make the tunnel device that a pool asks for
 * - `address-without-node`: an address is allocated to nobody knows which node
 * - `host-address-in-block`: a node's own address is in a block, so the block cannot be routed
 * - `block-outside-pools`: a block is in no pool, so no mode is known for it
 * - `foreign-agent`: Felix or BIRD runs on this host
 * - `unknown-mtu`: no interface to derive the MTU from
 * - `foreign-route`: somebody else's route is where ours should be
 * - `foreign-link`: somebody else's interface has the name of ours
 */
export type FindingKind =
  | 'unreadable-record'
  | 'invalid-setting'
  | 'not-ready'
  | 'own-node-incomplete'
  | 'parent-missing'
  | 'peer-incomplete'
  | 'peer-not-on-link'
  | 'masks-differ'
  | 'duplicate-address'
  | 'overlapping-pools'
  | 'missing-module'
  | 'address-without-node'
  | 'host-address-in-block'
  | 'block-outside-pools'
  | 'foreign-agent'
  | 'unknown-mtu'
  | 'foreign-route'
  | 'foreign-link';

export interface Finding {
  readonly kind: FindingKind;
  /** `error`: traffic is lost because of it; `warning`: it may be, or somebody should know. */
  readonly severity: 'warning' | 'error';
  /** What it is about: a node, a pool, a block, a key. With `kind` it identifies the finding. */
  readonly subject: string;
  /** What is wrong, with which value, and what to do. */
  readonly message: string;
}
