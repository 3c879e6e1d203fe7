import { describe, expect, it } from 'vitest';
import { createLog } from '../../../../src/base/log.ts';
import { createGarbageReport } from '../../../../src/node/garbage/garbage-report.ts';
import type { GarbageMode } from '../../../../src/node/garbage/garbage-settings.ts';
import { steppedClock } from '../../../support/stepped-clock.ts';

function createReport(mode: GarbageMode) {
  const lines: string[] = [];
  const clock = steppedClock();
  const write = (line: string) => void lines.push(line.replace(/^.*?\]\[1\] /, '').trimEnd());
  const log = createLog({ level: 'info', pid: 1, nowNs: clock.nowNs, write, context: {} });
  const settings = { mode, graceMs: 1_000, cniCache: undefined };
  return { report: createGarbageReport(settings, { clock, log }), lines };
}

const HELD = { handleId: 'net.c', addresses: ['10.9.0.1'], why: 'it is odd' };

describe('createGarbageReport()', () => {
  it('tells what is collected each time, and counts it since the agent began', () => {
    const { report, lines } = createReport('on');
    for (let look = 0; look < 2; look++) {
      report.lookBegins();
      report.collect('container', { containers: 1, addresses: 2 }, { container: 'c' });
      report.lookEnds(undefined);
    }
    expect(lines).toEqual(Array(2).fill('garbage: collected container container="c"'));
    expect(report.status()).toMatchObject({
      looks: 2,
      collected: { containers: 2, addresses: 4, blocks: 0 },
    });
  });

  it('tells what would be collected once in a dry run, and counts what it is now', () => {
    const { report, lines } = createReport('dry-run');
    for (let look = 0; look < 3; look++) {
      report.lookBegins();
      report.collect('container', { containers: 1 }, { container: 'c' });
      report.lookEnds(undefined);
    }
    expect(lines).toEqual(['garbage: would collect container container="c"']);
    expect(report.status().collected.containers).toBe(1);
    report.lookBegins();
    expect(report.status().collected.containers).toBe(0);
  });

  it.each<[string, (report: ReturnType<typeof createReport>['report']) => void, RegExp]>([
    [
      'stays',
      (report) => report.see({ held: [HELD] }),
      /left alone handle="net\.c" addresses="10\.9\.0\.1" why="it is odd"/,
    ],
    ['is left', (report) => report.leave('container', { why: 'x' }), /left container alone why="x"/],
    [
      'is suspected',
      (report) => report.suspect('a container looks gone', { container: 'c' }),
      /looks gone container="c"/,
    ],
  ])('tells what %s when it begins, and again when it comes again', (_what, tell, line) => {
    const { report, lines } = createReport('on');
    for (const isSo of [true, true, false, true]) {
      report.lookBegins();
      if (isSo) tell(report);
      report.lookEnds(undefined);
    }
    expect(lines).toEqual([expect.stringMatching(line), expect.stringMatching(line)]);
  });

  it('says why a look failed, once, and forgets it with the next that did not', () => {
    const { report, lines } = createReport('on');
    for (const failure of ['no etcd', 'no etcd', undefined]) {
      report.lookBegins();
      report.lookEnds(failure);
    }
    expect(lines).toEqual(['garbage: not everything could be looked at failure="no etcd"']);
    expect(report.status()).toMatchObject({ looks: 3, failedLooks: 2, failure: undefined });
  });
});
