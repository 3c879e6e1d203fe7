/** What can be wrong with the records of a cluster, and what to do about each. Pure. */

import type { Repair } from './repair.ts';

export const DAMAGES = {
  'unreadable-record': 'look at the value with etcdctl, and repair or delete the key',
  'overlapping-pools': 'delete one of the pools: every address may be in one pool only',
  'block-outside-pools': 'create a pool that holds it, or delete its pods',
  'wrong-block-size': 'delete its pods: blocks of another size are not found by address',
  'overlapping-blocks': 'delete the pods of one of them: an address may be in one block only',
  'block-without-owner': 'an empty one can be released; others go with their last pod',
  'block-of-unknown-node': 'create the Node object again; where the node is gone, release its addresses',
  'block-without-affinity': 'release from the report writes the affinity',
  'lost-address': 'release from the report makes it free',
  'unused-attribute': 'release from the report removes it',
  'wrong-sequence-number': 'release from the report corrects it',
  'released-in-future': 'check the clocks of the nodes: the address stays in cooldown until then',
  'address-without-handle': 'release it with --ip, if nobody uses it',
  'missing-handle': 'release from the report writes the handle',
  'wrong-handle-count': 'release from the report corrects the handle',
  'leaked-handle': 'release from the report removes it',
  'leaked-address': 'release it from the report',
  'affinity-without-block': 'release from the report removes the affinity',
  'affinity-of-other-block': 'release from the report removes the affinity',
  'unsettled-affinity': 'if no ADD is running on the node, release from the report settles it',
  'affinity-of-unknown-node': 'release from the report removes it with its block, once that is empty',
  'unallocated-address': 'delete the pod: its address can be given to another one',
  'foreign-address': 'delete the pod: its address is recorded as another one’s',
  'duplicate-address': 'delete both pods: they have one address',
  'address-outside-pools': 'delete the pod, or create a pool that holds its address',
  'endpoint-without-link': 'delete the pod: it has no interface on this node',
  'endpoint-without-route':
    'restart calico/node, or delete the pod: this node does not route its address to it',
  'link-without-endpoint': 'if no pod uses it, remove it: ip link del',
  'endpoint-without-pod': 'delete the endpoint: calicoctl delete workloadendpoint',
} as const satisfies Readonly<Record<string, string>>;

export type Damage = keyof typeof DAMAGES;

export function isDamage(text: unknown): text is Damage {
  return typeof text === 'string' && Object.hasOwn(DAMAGES, text);
}

/** One thing that is wrong. */
export interface Finding {
  readonly damage: Damage;
  /** Key of the record that is wrong, or name of the interface. */
  readonly key: string;
  /** A sentence. */
  readonly text: string;
  /** What could be written to put it right, if that can be done without a person. */
  readonly repair?: Repair | undefined;
}
