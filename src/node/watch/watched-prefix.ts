/** What of the datastore the agent follows, and how. Pure. */

import { IP_POOLS_PREFIX, NODES_PREFIX, WORKLOAD_ENDPOINTS_PREFIX } from '../../datastore/keys.ts';
import { recordOfKey, WATCHED_PREFIXES } from '../record-key.ts';

export interface WatchedPrefix {
  readonly prefix: string;
  /** That there is nothing under it any more is believed only when it was seen twice. */
  readonly isEssential: boolean;
  /** Most of what is under it is not wanted: keys are read first, and then the wanted values. */
  readonly isSparse: boolean;
}

export const NODE_PREFIXES: readonly WatchedPrefix[] = WATCHED_PREFIXES.map((prefix) => ({
  prefix,
  isEssential: prefix === NODES_PREFIX || prefix === IP_POOLS_PREFIX,
  isSparse: prefix === WORKLOAD_ENDPOINTS_PREFIX,
}));

/** Whether the record of the key matters to the node. */
export function isWantedBy(nodeName: string): (key: string) => boolean {
  return (key) => recordOfKey(key, nodeName) !== undefined;
}
