/** Puts transactions together: all or nothing of all of them. Pure. */

import type { Transaction } from './store.ts';

export function joinTransactions(...transactions: readonly Transaction[]): Transaction {
  return {
    expect: transactions.flatMap(({ expect }) => expect),
    write: transactions.flatMap(({ write }) => write),
  };
}

export function isEmptyTransaction({ write }: Transaction): boolean {
  return write.length === 0;
}
