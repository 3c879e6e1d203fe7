import { describe, expect, it } from 'vitest';
import { drawConvergence } from '../../../bench/node/picture.ts';
import { goalTable, nodeReport } from '../../../bench/node/report.ts';
import type { SizeResult } from '../../../bench/node/sizes.ts';

function size(nodes: number, extras: Partial<SizeResult> = {}): SizeResult {
  return {
    nodes,
    firstSyncMs: [nodes],
    firstSyncCpuMs: [nodes / 2],
    peakMb: 70 + nodes / 20,
    addedMs: [14, 15, 16],
    removedMs: [13, 14, 15],
    changeCpuMs: 2,
    podCpuMs: 1,
    ownPodCpuMs: 6,
    ...extras,
  };
}

const RESULTS = {
  spread: { blockMs: [20, 30, 70], addMs: [-1, 5] },
  sizes: [size(10), size(1000)],
  repairs: [
    { what: 'the FDB is flushed', isChange: false, ms: [20, 40] },
    { what: 'the address is another', isChange: true, ms: [2000] },
  ],
};

function verdicts(table: string): readonly string[] {
  return Array.from(table.matchAll(/ (holds|missed)$/gm), ([, verdict = '']) => verdict);
}

describe('goalTable()', () => {
  it('says of each goal whether it holds', () => {
    expect(verdicts(goalTable(RESULTS))).toEqual(Array(5).fill('holds'));
  });

  it.each([
    ['a block that is routed late', { spread: { blockMs: [51], addMs: [] } }],
    ['a first sync that takes long', { sizes: [size(10), size(1000, { firstSyncMs: [3001] })] }],
    ['an agent that takes much memory', { sizes: [size(10), size(1000, { peakMb: 151 })] }],
    ['a change that costs more in a large cluster', { sizes: [size(10), size(1000, { addedMs: [23] })] }],
    ['damage that stays', { repairs: [{ what: 'x', isChange: false, ms: [20, 1001] }] }],
    ['nothing measured', { repairs: [], sizes: [] }],
  ])('misses one for %s', (_, other) => {
    expect(verdicts(goalTable({ ...RESULTS, ...other }))).toContain('missed');
  });
});

describe('nodeReport()', () => {
  it('has a line for each size and each damage', () => {
    const report = nodeReport(RESULTS);
    expect(report).toMatch(/^10 +10 +5 +71 +15\.0 +16\.0 +14\.0 +15\.0 +2\.0 +1\.0 +6\.0$/m);
    expect(report).toMatch(/^1,000 +1000 /m);
    expect(report).toMatch(/^the FDB is flushed +20\.0 +40\.0 +40\.0$/m);
    expect(report).toMatch(/^a block is written to etcd +30\.0 +70\.0 +70\.0$/m);
  });
});

describe('drawConvergence()', () => {
  it('draws a line for each figure and a point for each size', () => {
    const svg = drawConvergence('agents & <nodes>', [size(10), size(100), size(1000)]);
    expect(svg).toContain('agents &#38; &#60;nodes&#62;');
    expect(svg.match(/<polyline /g)).toHaveLength(5);
    expect(svg.match(/<circle /g)).toHaveLength(15);
    expect(svg).not.toContain('NaN');
  });

  it('draws one size as well', () => {
    expect(drawConvergence('one', [size(10)])).not.toMatch(/NaN|Infinity/);
  });
});
