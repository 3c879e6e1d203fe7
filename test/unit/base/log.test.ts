import { describe, expect, it } from 'vitest';
import { createLog, type LogLevel } from '../../../src/base/log.ts';

function logged(level: LogLevel): string {
  let text = '';
  const write = (line: string) => {
    text += line;
  };
  const nowNs = () => 1795258452643565758n;
  const log = createLog({ level, pid: 7, nowNs, write, context: { container: 'abc' } });
  log.debug('a');
  log.info('b', { node: 'n"1', missing: undefined });
  log.warn('c');
  log.error('two\nlines', { why: 'x\ny' });
  return text;
}

describe('createLog()', () => {
  it('writes one line per event: time, level, process, text, fields, context', () => {
    expect(logged('debug').split('\n')[1]).toBe(
      '2026-11-21 10:54:12.643 [INFO][7] b node="n\\"1" container="abc"',
    );
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warning', 2],
    ['error', 1],
  ] as const)('at level %s writes %i of the four', (level, count) => {
    expect(
      logged(level)
        .trimEnd()
        .split(/\n(?=\d{4}-)/),
    ).toHaveLength(count);
  });

  it('never lets a value break its line', () => {
    expect(logged('error')).toBe(
      '2026-11-21 10:54:12.643 [ERROR][7] two lines why="x\\ny" container="abc"\n',
    );
  });
});
