import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isResultOf, sandboxPaths } from '../../../../src/node/garbage/cached-result.ts';

const result = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'cali0' }, { name: 'eth0', sandbox: '/run/netns/b' }],
};

describe('sandboxPaths()', () => {
  it.each([
    ['the path that the plugins were given', { kind: 'cniCacheV1', netns: '/run/netns/a' }, ['/run/netns/a']],
    ['what the result says', { kind: 'cniCacheV1', result }, ['/run/netns/b']],
    ['both', { netns: '/run/netns/a', result }, ['/run/netns/a', '/run/netns/b']],
    ['a bare result, as old versions keep it', result, ['/run/netns/b']],
    ['one path once', { netns: '/run/netns/b', result }, ['/run/netns/b']],
    ['none where there is none', { kind: 'cniCacheV1', netns: '', result: { ips: [] } }, []],
    ['none in what is something else', [1], []],
    [
      'none in nonsense',
      { netns: 7, result: { interfaces: [null, { sandbox: 7 }, { sandbox: 'vm-uuid' }] } },
      [],
    ],
  ])('finds %s', (_what, cached, paths) => {
    expect(sandboxPaths(JSON.stringify(cached))).toEqual(paths);
  });

  it('understands whatever it is fed', () => {
    const fields = fc.record({ netns: fc.anything(), result: fc.anything(), interfaces: fc.anything() });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fields), (value) => {
        const text =
          JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)) ?? '';
        expect(sandboxPaths(text).every((path) => path !== '')).toBe(true);
      }),
    );
  });

  it('finds none in what is no JSON', () => {
    expect(sandboxPaths('{"kind":')).toEqual([]);
  });
});

describe('isResultOf()', () => {
  it.each([
    ['net-c1-eth0', 'c1', true],
    ['my-net-c1-eth0', 'c1', true],
    ['net-c12-eth0', 'c1', false],
    ['net-ac1-eth0', 'c1', false],
  ])('%s is of %s: %s', (name, containerId, expected) => {
    expect(isResultOf(name, containerId)).toBe(expected);
  });
});
