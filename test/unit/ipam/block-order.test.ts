import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsCidr, formatCidr, parseCidr } from '../../../src/base/cidr.ts';
import { blockCount, blocksInOrder } from '../../../src/ipam/block-order.ts';
import { pool } from './support/cluster.ts';

function order(cidr: string, blockSize: number, nodeName: string, reserved: readonly string[] = []) {
  return blocksInOrder(pool(cidr, blockSize), nodeName, reserved.map(parseCidr)).map(formatCidr);
}

describe('blocksInOrder()', () => {
  it('begins where Calico begins, goes on by one and wraps around', () => {
    const all = order('10.77.0.0/24', 28, 'node-a').toArray();
    expect(all.slice(0, 7)).toEqual([160, 176, 192, 208, 224, 240, 0].map((last) => `10.77.0.${last}/28`));
    expect(new Set(all).size).toBe(16);
  });

  it('gives every block once, whatever the node, the pool and what is reserved in it', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 6 }), fc.nat(15), (nodeName, bits, part) => {
        const reserved = `10.77.0.${part * 16}/28`;
        const found = order('10.77.0.0/24', 24 + bits, nodeName, [reserved]).toArray();
        const covered = found.filter((text) => containsCidr(parseCidr(reserved), parseCidr(text)));
        expect(covered).toEqual([]);
        expect(new Set(found).size).toBe(found.length);
        expect(found.length).toBe(2 ** bits - (bits >= 4 ? 2 ** (bits - 4) : 0));
      }),
    );
  });

  it('starts its walk over 2^108 blocks at once', () => {
    expect(order('fd00::/16', 124, 'node1').take(3).toArray()).toHaveLength(3);
    expect(blockCount(pool('fd00::/16', 124))).toBe(2n ** 108n);
  });

  it('jumps over what is reserved as a whole instead of walking through it', () => {
    expect(order('fd00::/16', 124, 'node1', ['fd00::/16']).toArray()).toEqual([]);
    const halves = ['fd00::/17', 'fd00:8000::/18', 'fd00:c000::/19'];
    const [first] = order('fd00::/16', 124, 'node1', halves);
    expect(containsCidr(parseCidr('fd00:e000::/19'), parseCidr(first ?? ''))).toBe(true);
  });

  it('gives a block that is reserved only in part', () => {
    expect(order('10.9.0.0/30', 30, 'node1', ['10.9.0.0/31']).toArray()).toEqual(['10.9.0.0/30']);
  });

  it('gives nothing of a pool smaller than its blocks', () => {
    expect(order('10.9.0.0/30', 26, 'node1').toArray()).toEqual([]);
  });
});
