import { describe, expect, it } from 'vitest';
import { type Clock, deadlineIn } from '../../../src/base/deadline.ts';
import { createInterrupter } from '../../../src/base/interruption.ts';
import { ABSENT } from '../../../src/base/revision.ts';
import { AmbiguousCommitError } from '../../../src/datastore/ambiguous-commit.ts';
import { interruptibleStore } from '../../../src/datastore/interruptible-store.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const CREATE = {
  expect: [{ key: '/a', revision: ABSENT }],
  write: [{ type: 'put', key: '/a', value: 'x' }],
} as const;
const TERMINATED = { kind: 'unavailable', message: 'terminated by SIGTERM before ADD was done' };

/** A store whose answers come when `answer` says so; `wake` ends all sleep. */
function slow() {
  const memory = createMemoryStore();
  const answer = Promise.withResolvers<void>();
  const wake = Promise.withResolvers<void>();
  const late = async <T>(result: Promise<T>): Promise<T> => {
    const given = await result;
    await answer.promise;
    return given;
  };
  const inner: Store = {
    ...memory,
    read: (...args) => late(memory.read(...args)),
    commit: (...args) => late(memory.commit(...args)),
  };
  const clock: Clock = { nowNs: () => 0n, monotonicMs: () => 0, sleep: () => wake.promise };
  const { interruption, interrupt } = createInterrupter();
  const deadline = deadlineIn(clock, 1_000, 'ADD', interruption);
  const store = interruptibleStore(inner, clock);
  return { store, memory, deadline, answer: answer.resolve, wake: wake.resolve, interrupt, clock };
}

describe('interruptibleStore()', () => {
  it('is the store it is made of while nothing interrupts it', async () => {
    const { store, deadline, answer } = slow();
    answer();
    expect(await store.commit(CREATE, deadline)).toMatchObject({ committed: true });
    expect((await store.read([{ key: '/a' }], deadline)).entries[0]).toHaveLength(1);
  });

  it('does not wait for the answer to a read', async () => {
    const { store, deadline, interrupt } = slow();
    const reading = store.read([{ key: '/a' }], deadline);
    interrupt('SIGTERM');
    await expect(reading).rejects.toMatchObject(TERMINATED);
  });

  it('waits a moment for the answer to a write, which tells what is to be taken back', async () => {
    const { store, deadline, answer, interrupt } = slow();
    const writing = store.commit(CREATE, deadline);
    interrupt('SIGTERM');
    answer();
    expect(await writing).toMatchObject({ committed: true });
  });

  it('does not know what became of a write that is not answered in that time', async () => {
    const { store, deadline, wake, interrupt } = slow();
    const writing = store.commit(CREATE, deadline);
    interrupt('SIGTERM');
    wake();
    await expect(writing).rejects.toThrow(AmbiguousCommitError);
  });

  it('sends nothing any more, but for work that has a deadline of its own', async () => {
    const { store, memory, deadline, answer, interrupt, clock } = slow();
    interrupt('SIGTERM');
    answer();
    await expect(store.read([{ key: '/a' }], deadline)).rejects.toMatchObject(TERMINATED);
    await expect(store.commit(CREATE, deadline)).rejects.toMatchObject(TERMINATED);
    expect(memory.requests()).toBe(0);
    const rollback = deadlineIn(clock, 1_000, 'rollback');
    expect(await store.commit(CREATE, rollback)).toMatchObject({ committed: true });
  });
});
