import { describe, expect, it } from 'vitest';
import { countTaken, drawBlock } from '../../../../src/cli/ipam/block-map.ts';
import { decodeBlock } from '../../../../src/datastore/codecs/block.ts';

const ordinals = Array.from({ length: 32 }, (_, ordinal) => ordinal);
const TAKEN: Readonly<Record<number, number>> = { 0: 0, 1: 1, 17: 0, 18: 2 };
const block = decodeBlock(
  JSON.stringify({
    cidr: '10.0.0.0/27',
    affinity: 'host:node1',
    allocations: ordinals.map((ordinal) => TAKEN[ordinal] ?? null),
    unallocated: ordinals.filter((ordinal) => TAKEN[ordinal] === undefined),
    attributes: [
      { handle_id: 'net1.one', secondary: { node: 'node1', pod: 'web', namespace: 'default' } },
      { handle_id: null },
      { releasedAt: '2026-11-21T10:00:00Z' },
    ],
  }),
  'a block',
);

describe('drawBlock()', () => {
  it('draws sixteen addresses in a row, a letter for each owner, and names the owners', () => {
    expect(drawBlock(block, { colours: false }).split('\n')).toEqual([
      '10.0.0.0/27  affine to host:node1',
      '   0 [a][b] .  .  .  .  .  .  .  .  .  .  .  .  .  . ',
      '  16  . [a] ~  .  .  .  .  .  .  .  .  .  .  .  .  . ',
      'a  net1.one  default/web  node1',
      'b  nobody',
      '~  in cooldown since 2026-11-21T10:00:00Z',
    ]);
  });

  it('gives each owner a colour of its own at a terminal', () => {
    const drawn = drawBlock(block, { colours: true });
    expect(drawn).toContain('\u001b[31m[a]\u001b[0m\u001b[32m[b]\u001b[0m\u001b[2m . \u001b[0m');
    expect(drawn).toContain('\u001b[31ma\u001b[0m  net1.one');
  });
});

describe('countTaken()', () => {
  it('counts the addresses that are not free', () => {
    expect(countTaken(block)).toBe(4);
  });
});
