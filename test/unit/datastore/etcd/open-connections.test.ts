import { describe, expect, it } from 'vitest';
import { openConnections } from '../../../../src/datastore/etcd/open-connections.ts';

function connection() {
  const made = {
    isUsable: true,
    closed: [] as string[],
    close: (why: string) => {
      made.isUsable = false;
      made.closed.push(why);
    },
  };
  return made;
}

describe('openConnections()', () => {
  it('closes all that are open, and each once', () => {
    const [first, second, later] = [connection(), connection(), connection()];
    const all = openConnections();
    all.add(first);
    all.add(second);
    all.closeAll('moved');
    all.add(later);
    all.closeAll('moved again');
    expect([first, second, later].map(({ closed }) => closed)).toEqual([
      ['moved'],
      ['moved'],
      ['moved again'],
    ]);
  });

  it('forgets those that have ended', () => {
    const [ended, open] = [connection(), connection()];
    const all = openConnections();
    all.add(ended);
    ended.isUsable = false;
    all.add(open);
    all.closeAll('moved');
    expect([ended.closed, open.closed]).toEqual([[], ['moved']]);
  });
});
