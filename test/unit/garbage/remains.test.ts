import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { sha1Hex } from '../../../src/base/sha1.ts';
import type { Leak } from '../../../src/garbage/leak.ts';
import { interfaceNamesOf } from '../../../src/garbage/remains.ts';

const NAMING = { nodeName: 'node1', sha1Hex, prefix: 'cali' };

function leak(owner: Readonly<Record<string, string>>, interfaceNames: readonly string[] = []): Leak {
  return {
    containerId: '0123456789abcdef',
    allocations: [
      { block: parseCidr('10.9.0.0/26'), ordinal: 0, handleId: 'n.0', sequenceNumber: 1n, owner },
    ],
    endpoints: interfaceNames.map((interfaceName) => ({ interfaceName })) as unknown as Leak['endpoints'],
  };
}

describe('interfaceNamesOf()', () => {
  it('is what the endpoint says, and nothing else', () => {
    expect(interfaceNamesOf(leak({}, ['caliabc']), NAMING)).toEqual(['caliabc']);
  });

  it('is made of the container ID where there is no endpoint', () => {
    expect(interfaceNamesOf(leak({}), NAMING)).toEqual([
      'cali0123456789a',
      expect.stringMatching(/^cali[0-9a-f]{11}$/),
    ]);
  });

  it('is made of the pod where the allocation names one', () => {
    const names = interfaceNamesOf(leak({ namespace: 'default', pod: 'web-1' }), { ...NAMING, prefix: 'px' });
    expect(names[0]).toBe(`px${sha1Hex('default.web-1').slice(0, 11)}`);
  });

  it('is nothing for an endpoint without a name of one', () => {
    expect(interfaceNamesOf({ ...leak({}, ['']), allocations: [] }, NAMING)).toHaveLength(2);
  });
});
