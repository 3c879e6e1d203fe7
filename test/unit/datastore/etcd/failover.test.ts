import { describe, expect, it } from 'vitest';
import { deadlineIn } from '../../../../src/base/deadline.ts';
import { type EtcdEndpoint, storeOn } from '../../../../src/datastore/etcd/failover.ts';
import { CallError, STATUS } from '../../../../src/grpc/call-error.ts';
import { steppedClock } from '../../../support/stepped-clock.ts';

const clock = steppedClock();
const ASKER = {
  caCertFile: undefined,
  certFile: undefined,
  certificateExpiryNs: () => undefined,
  user: undefined,
  nowNs: clock.nowNs,
};

/** An endpoint that fails as it is told, one request after the other, and then does not answer in time. */
function failing(...reasons: readonly string[]): EtcdEndpoint {
  const left = [...reasons];
  return {
    url: 'http://a:2379',
    txn: async (_request, budgetMs) => {
      const reason = left.shift();
      if (reason === undefined) await clock.sleep(budgetMs);
      throw new CallError(STATUS.unavailable, reason ?? `no answer within ${budgetMs} ms`, false);
    },
    close: () => undefined,
  };
}

function read(endpoint: EtcdEndpoint, budgetMs: number): Promise<unknown> {
  const store = storeOn([endpoint], clock, { asker: ASKER });
  return store.read([{ key: '/a' }], deadlineIn(clock, budgetMs, 'the test'));
}

describe('storeOn()', () => {
  it.each([
    ['why it is refused', ['connect ECONNREFUSED'], 600, 'connect ECONNREFUSED'],
    ['the last reason', ['connect ECONNREFUSED', 'connect EHOSTUNREACH'], 600, 'connect EHOSTUNREACH'],
    ['that nobody answers', [], 600, 'no answer within 600 ms'],
  ])(
    'says %s, and not that the rest of the time was too short',
    async (_what, reasons, budgetMs, message) => {
      await expect(read(failing(...reasons), budgetMs)).rejects.toMatchObject({
        kind: 'unavailable',
        message: `cannot reach etcd at http://a:2379: ${message}`,
      });
    },
  );
});
