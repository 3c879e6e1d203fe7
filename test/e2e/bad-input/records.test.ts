/** Whatever stands in the datastore: an ADD and a DEL say which record it is, or do without it. */

import { afterAll, beforeAll, describe, it } from 'vitest';
import { type DamagedNode, damagedNode, type Expected, type RecordName } from '../../support/damaged-node.ts';
import { whyNoNetns } from '../../support/netns.ts';
import { type SimulatedNode, startNode } from '../../support/simulated-node.ts';

const why = whyNoNetns();

/** What no reader takes for the record it should be. */
const FORMS: readonly (readonly [string, (value: string) => string | Uint8Array])[] = [
  ['empty', () => ''],
  ['no JSON', () => 'state: confirmed'],
  ['cut off', (value) => value.slice(0, value.length / 2)],
  ['a list', (value) => `[${value}]`],
  ['null', () => 'null'],
  ['binary', () => Uint8Array.of(0, 255, 254, 123, 34, 128)],
  ['nested deeper than any stack', () => `{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
];

/** What ADD and DEL say when the record cannot be understood. */
const RECORDS: readonly (readonly [RecordName, Expected, Expected])[] = [
  ['cluster information', 105, 105],
  ['node', 105, 105],
  ['IPAM configuration', 105, 105],
  ['pool', 102, undefined],
  ['reservation', undefined, undefined],
  ['profile', undefined, undefined],
  // Another block is taken; what the container has in this one is left to a GC.
  ['block', undefined, undefined],
  // The block says whose it is, and the affinity is written anew.
  ['affinity', undefined, undefined],
  ['handle', undefined, 105],
  ['endpoint', undefined, 105],
];

describe.skipIf(why !== undefined)(`damaged records${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let damaged: DamagedNode;

  beforeAll(async () => {
    node = await startNode();
    damaged = damagedNode(node);
  });
  afterAll(async () => {
    await node.stop();
  });

  const rows = RECORDS.flatMap(([record, add, del]) =>
    FORMS.map(([form, damage]) => ({ record, form, damage, add, del })),
  );

  it.each(rows)('$record: $form', (row) => damaged.suffer(row));
});
