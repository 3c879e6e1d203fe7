import { describe, expect, it } from 'vitest';
import { drawWaterfall, parsePhases, wholeCall } from '../../../bench/waterfall.ts';

const LOG =
  '2026-11-21 10:26:38.709 [DEBUG][1] phases phases="read 20.5-22.0; wire the pod 23.0-25.5" x="1"\n';

describe('parsePhases()', () => {
  it('finds the spans of the log line that has them', () => {
    expect(parsePhases(`other line\n${LOG}`)).toEqual([
      { name: 'read', startMs: 20.5, endMs: 22 },
      { name: 'wire the pod', startMs: 23, endMs: 25.5 },
    ]);
  });

  it('finds none in a log without', () => {
    expect(parsePhases('nothing to see')).toEqual([]);
  });
});

describe('drawWaterfall()', () => {
  it('draws one bar for each span of the whole call, and its length', () => {
    const svg = drawWaterfall('One ADD <b>', wholeCall(parsePhases(LOG), 30));
    expect(svg.match(/<rect x=/g)).toHaveLength(4);
    expect(svg).toContain('One ADD &#60;b&#62;');
    expect([...svg.matchAll(/>(\d+\.\d)<\/text>/g)].map(([, ms]) => ms)).toEqual([
      '20.5',
      '1.5',
      '2.5',
      '4.5',
    ]);
  });
});
