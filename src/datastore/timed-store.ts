/** A store that notes how long each of its requests takes. */

import type { Phases } from '../base/phases.ts';
import type { Store } from './store.ts';

export function timedStore(store: Store, phases: Phases): Store {
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const end = phases.start(name);
    try {
      return await work;
    } finally {
      end();
    }
  };
  return {
    read: (...args) => timed('read', store.read(...args)),
    commit: (...args) => timed('commit', store.commit(...args)),
    close: () => store.close(),
  };
}
