import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handleOwner, isAmbiguousHandleId } from '../../../src/garbage/handle-owner.ts';

const HEX = '0123456789abcdef'.repeat(4);
const NOTHING = { network: undefined, containerId: undefined };

describe('handleOwner()', () => {
  it.each([
    ['net1.c1', NOTHING, 'net1', 'c1'],
    [`k8s-pod-network.${HEX}`, NOTHING, 'k8s-pod-network', HEX],
    [`a.b.${HEX}`, NOTHING, 'a.b', HEX],
    ['a.b.c', { ...NOTHING, network: 'a' }, 'a', 'b.c'],
    ['a.b.c', { ...NOTHING, network: 'a.b' }, 'a.b', 'c'],
    ['a.b.c', { ...NOTHING, containerId: 'c' }, 'a.b', 'c'],
    ['a.b.c', { ...NOTHING, containerId: 'b.c' }, 'a', 'b.c'],
    [`a.b.${HEX}`, { ...NOTHING, containerId: `b.${HEX}` }, 'a', `b.${HEX}`],
    [`a.b.${HEX}`, { network: 'a', containerId: HEX }, 'a', `b.${HEX}`],
    ['net1.c1', { network: 'other', containerId: 'x' }, 'net1', 'c1'],
  ])('takes %s with %j for container and network', (handleId, evidence, network, containerId) => {
    expect(handleOwner(handleId, evidence)).toEqual({ network, containerId });
  });

  it.each([
    ['a.b.c', NOTHING],
    ['a.b.c', { network: 'x', containerId: 'y' }],
    [`a.b.${HEX.slice(1)}`, NOTHING],
    ['vxlan-tunnel-addr-node1', NOTHING],
    ['lb-0123', NOTHING],
    ['.c', NOTHING],
    ['net1.', NOTHING],
    ['', NOTHING],
  ])('cannot tell whose %s is with %j', (handleId, evidence) => {
    expect(handleOwner(handleId, evidence)).toBeUndefined();
  });

  it('is never wrong where the attribute names the network, as it does wherever that is needed', () => {
    const name = fc.stringMatching(/^[a-c0][a-c0._-]{0,8}$/);
    fc.assert(
      fc.property(name, name, fc.option(name, { nil: undefined }), (network, containerId, other) => {
        const handleId = `${network}.${containerId}`;
        const stated = isAmbiguousHandleId(handleId) ? network : undefined;
        const owner = handleOwner(handleId, { network: stated, containerId: stated && other });
        expect(owner).toEqual({ network, containerId });
      }),
    );
  });
});
