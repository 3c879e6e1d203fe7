import { describe, expect, it } from 'vitest';
import {
  checkDeadline,
  checkInterruption,
  deadlineIn,
  unlessInterrupted,
} from '../../../src/base/deadline.ts';
import { createInterrupter } from '../../../src/base/interruption.ts';
import { steppedClock } from '../../support/stepped-clock.ts';

const TERMINATED = { kind: 'unavailable', message: 'terminated by SIGTERM before ADD was done' };

function interruptible() {
  const clock = steppedClock();
  const { interruption, interrupt } = createInterrupter();
  return { clock, interrupt, deadline: deadlineIn(clock, 1_000, 'ADD', interruption) };
}

describe('a deadline', () => {
  it('comes when its time is up, or later when it is postponed', async () => {
    const { clock, deadline } = interruptible();
    await clock.sleep(900);
    expect(deadline.remainingMs()).toBe(100);
    deadline.postpone(400);
    await clock.sleep(200);
    expect(deadline.remainingMs()).toBe(300);
    expect(() => checkDeadline(deadline, 'waiting')).not.toThrow();
    await clock.sleep(400);
    expect(deadline.remainingMs()).toBe(0);
    expect(() => checkDeadline(deadline, 'waiting')).toThrow(
      'ADD did not finish within 1000 ms: time was up while waiting',
    );
    expect(() => checkInterruption(deadline)).not.toThrow();
  });

  it('comes at once with a signal, whatever time is left', () => {
    const { deadline, interrupt } = interruptible();
    interrupt('SIGTERM');
    interrupt('SIGINT');
    deadline.postpone(1_000);
    expect(deadline.remainingMs()).toBe(0);
    for (const check of [checkDeadline, checkInterruption]) {
      expect(() => check(deadline, 'waiting')).toThrow(expect.objectContaining(TERMINATED));
    }
  });
});

describe('unlessInterrupted()', () => {
  it('gives what the work gives, or throws what it throws', async () => {
    const { deadline } = interruptible();
    expect(await unlessInterrupted(deadline, Promise.resolve(1))).toBe(1);
    await expect(unlessInterrupted(deadline, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('does not wait any longer once a signal has come, before or meanwhile', async () => {
    const { deadline, interrupt } = interruptible();
    const waiting = unlessInterrupted(deadline, new Promise(() => undefined));
    interrupt('SIGTERM');
    await expect(waiting).rejects.toMatchObject(TERMINATED);
    await expect(unlessInterrupted(deadline, new Promise(() => undefined))).rejects.toMatchObject(TERMINATED);
  });

  it('leaves no rejection behind when the work fails later', async () => {
    const { deadline, interrupt } = interruptible();
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = unlessInterrupted(deadline, promise);
    interrupt('SIGTERM');
    reject(new Error('too late'));
    await expect(waiting).rejects.toMatchObject(TERMINATED);
  });
});

describe('an interruption', () => {
  it('tells every listener once, late ones too, and none that has gone', () => {
    const { interruption, interrupt } = createInterrupter();
    const told: string[] = [];
    interruption.listen(() => told.push('first'));
    interruption.listen(() => told.push('gone'))[Symbol.dispose]();
    interrupt('SIGTERM');
    interrupt('SIGTERM');
    interruption.listen(() => told.push('late'));
    expect(told).toEqual(['first', 'late']);
    expect(interruption.signal()).toBe('SIGTERM');
  });
});
