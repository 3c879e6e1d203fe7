import { describe, expect, it } from 'vitest';
import { countTaken, drawBlock } from '../../../demo/block-map.ts';

const block = {
  cidr: '10.0.0.0/27',
  affinity: 'host:node1',
  allocations: Array.from({ length: 32 }, (_, ordinal) =>
    ordinal < 2 ? ordinal : ordinal === 17 ? 0 : null,
  ),
  attributes: [{ handle_id: 'net1.one' }, { handle_id: null }],
};

describe('drawBlock()', () => {
  it('draws sixteen addresses in a row, a letter for each owner, and names the owners', () => {
    expect(drawBlock(block).split('\n')).toEqual([
      '10.0.0.0/27  affine to host:node1',
      '   0 [a][b] .  .  .  .  .  .  .  .  .  .  .  .  .  . ',
      '  16  . [a] .  .  .  .  .  .  .  .  .  .  .  .  .  . ',
      'a  net1.one',
      'b  nobody',
    ]);
  });
});

describe('countTaken()', () => {
  it('counts the addresses that have an owner', () => {
    expect(countTaken(block)).toBe(3);
  });
});
