import { describe, expect, it } from 'vitest';
import {
  EMPTY_VIEW,
  entriesUnder,
  entryAt,
  keysUnder,
  withCurrent,
  withSnapshot,
} from '../../../src/datastore/view.ts';

const entry = (key: string, value = 'x', revision = '1') => ({ key, value, revision });
const listed = withSnapshot(EMPTY_VIEW, [{ prefix: '/b/' }, { key: '/none' }], {
  revision: '9',
  entries: [[entry('/b/2'), entry('/b/1')], []],
});

describe('a view', () => {
  it('lists entries in key order, and knows what does not exist', () => {
    expect(entriesUnder(listed, '/b/').map(({ key }) => key)).toEqual(['/b/1', '/b/2']);
    expect(entryAt(listed, '/none')).toBeUndefined();
    expect(listed.entries.has('/none')).toBe(true);
  });

  it('takes over what a lost commit found: changed, new and deleted keys', () => {
    const now = new Map([
      ['/b/1', entry('/b/1', 'y', '2')],
      ['/b/2', undefined],
      ['/b/3', entry('/b/3')],
    ]);
    const view = withCurrent(listed, now);
    expect(entriesUnder(view, '/b/').map(({ key, value }) => key + value)).toEqual(['/b/1y', '/b/3x']);
    expect([...(keysUnder(view, '/b/') ?? [])].sort()).toEqual(['/b/1', '/b/3']);
  });

  it('forgets what a newer listing no longer holds', () => {
    const view = withSnapshot(listed, [{ prefix: '/b/' }], {
      revision: '10',
      entries: [[entry('/b/2', 'new')]],
    });
    expect(entriesUnder(view, '/b/')).toEqual([entry('/b/2', 'new')]);
  });

  it('does not take a list of keys for values', () => {
    const view = withSnapshot(EMPTY_VIEW, [{ prefix: '/b/', keysOnly: true }], {
      revision: '9',
      entries: [[entry('/b/1', '')]],
    });
    expect(entriesUnder(view, '/b/')).toEqual([]);
    expect(keysUnder(view, '/b/')).toEqual(new Set(['/b/1']));
  });

  it('does not know the keys of a prefix that was never listed', () => {
    expect(keysUnder(listed, '/c/')).toBeUndefined();
  });

  it('is a value: growing it leaves the old one alone', () => {
    withCurrent(listed, new Map([['/b/1', undefined]]));
    expect(entryAt(listed, '/b/1')).toEqual(entry('/b/1'));
  });
});
