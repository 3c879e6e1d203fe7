import { describe, expect, it } from 'vitest';
import { isBird, isFelix } from '../../../../src/node/kernel/surroundings.ts';

describe('isFelix()', () => {
  it.each([
    ['calico-felix'],
    ['/usr/bin/calico-felix', '-c', '/etc/felix.cfg'],
    ['calico-node', '-felix'],
    ['/bin/calico-node', '--felix'],
    ['/usr/bin/calico', 'component', 'felix'],
  ])('knows %s %s', (...argv) => {
    expect(isFelix(argv)).toBe(true);
  });

  it.each([['calico-node', '-confd'], ['calico', 'node'], ['vim', 'calico-felix.cfg'], []])(
    'takes %s %s for another program',
    (...argv) => {
      expect(isFelix(argv)).toBe(false);
    },
  );
});

describe('isBird()', () => {
  it('knows both of its programs, and no other', () => {
    expect(isBird(['/usr/sbin/bird', '-R'])).toBe(true);
    expect(isBird(['bird6'])).toBe(true);
    expect(isBird(['birdcl'])).toBe(false);
    expect(isBird([])).toBe(false);
  });
});
