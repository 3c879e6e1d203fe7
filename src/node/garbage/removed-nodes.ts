/** Which nodes are gone, and what they have left in IPAM. Pure. */

import { type Cidr, formatCidr } from '../../base/cidr.ts';
import {
  AFFINITIES_PREFIX,
  cidrOfKey,
  NODE_CLAIMS_PREFIX,
  NODES_PREFIX,
  nodeNameOfAffinityKey,
} from '../../datastore/keys.ts';
import type { ClusterState } from '../cluster.ts';

/** Keys as they are in the datastore: of all affinities and host entries, of all Nodes, of all claims of node names. */
export interface NodeLists {
  readonly affinities: readonly string[];
  readonly nodes: readonly string[];
  readonly claims: readonly string[];
}

export interface RemovedNode {
  readonly name: string;
  /** It may claim them, or have addresses there. */
  readonly blocks: readonly Cidr[];
  /** Whether old versions have left an entry of it. */
  readonly hasHostEntry: boolean;
}

/** A node is not gone while there is a Node of its name, whether it can be read or not, or an agent that says it is that one. */
export function removedNodes(state: ClusterState, lists: NodeLists): readonly RemovedNode[] {
  const present = new Set([
    state.nodeName,
    ...state.nodes.keys(),
    ...[...state.unreadable.keys(), ...lists.nodes].flatMap((key) => nameBelow(NODES_PREFIX, key) ?? []),
    ...lists.claims.flatMap((key) => nameBelow(NODE_CLAIMS_PREFIX, key) ?? []),
  ]);
  const left = [...leftInBlocks(state), ...lists.affinities.flatMap(leftByKey)];
  const byNode = Map.groupBy(
    left.filter(({ name }) => !present.has(name)),
    ({ name }) => name,
  );
  return [...byNode].map(([name, parts]) => {
    const blocks = parts.flatMap(({ block }) => block ?? []);
    return {
      name,
      blocks: [...new Map(blocks.map((block) => [formatCidr(block), block])).values()],
      hasHostEntry: parts.some(({ block }) => block === undefined),
    };
  });
}

interface Left {
  readonly name: string;
  /** `undefined`: it is the host entry. */
  readonly block: Cidr | undefined;
}

function leftInBlocks({ blocks }: ClusterState): readonly Left[] {
  return [...blocks.values()].flatMap(({ cidr: block, owner, borrowed }) =>
    [owner, ...borrowed.map(({ nodeName }) => nodeName)].flatMap((name) =>
      name === undefined ? [] : [{ name, block }],
    ),
  );
}

function leftByKey(key: string): readonly Left[] {
  const owner = nodeNameOfAffinityKey(key);
  const block = cidrOfKey(key);
  if (owner !== undefined) return block === undefined ? [] : [{ name: owner, block }];
  const name = nameBelow(AFFINITIES_PREFIX, key);
  return name === undefined ? [] : [{ name, block: undefined }];
}

function nameBelow(prefix: string, key: string): string | undefined {
  const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
  return name === '' || name.includes('/') ? undefined : name;
}
