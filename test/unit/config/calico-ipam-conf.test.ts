import { describe, expect, it } from 'vitest';
import { type PoolRequest, withPoolRequest } from '../../../src/config/calico-ipam-conf.ts';

const NOTHING: PoolRequest = { ipv4Pools: undefined, ipv6Pools: undefined, families: undefined };

function edited(conf: object, request: Partial<PoolRequest>): unknown {
  const text = JSON.stringify(conf);
  return JSON.parse(withPoolRequest({ text, json: JSON.parse(text) }, { ...NOTHING, ...request }));
}

describe('withPoolRequest()', () => {
  it.each<[Partial<PoolRequest>, object]>([
    [{ ipv4Pools: ['10.1.0.0/16', 'pool-b'] }, { ipv4_pools: ['10.1.0.0/16', 'pool-b'] }],
    [{ ipv6Pools: ['six'] }, { ipv4_pools: ['default'], ipv6_pools: ['six'] }],
    [{ ipv4Pools: [] }, { ipv4_pools: [] }],
    [{ families: [4] }, { ipv4_pools: ['default'], assign_ipv4: 'true', assign_ipv6: 'false' }],
    [{ families: [6] }, { ipv4_pools: ['default'], assign_ipv4: 'false', assign_ipv6: 'true' }],
    [{ families: [6, 4] }, { ipv4_pools: ['default'], assign_ipv4: 'true', assign_ipv6: 'true' }],
    [{ families: [] }, { ipv4_pools: ['default'], assign_ipv4: 'false', assign_ipv6: 'false' }],
  ])('puts %j into ipam', (request, members) => {
    const ipam = { type: 'calico-ipam', ipv4_pools: ['default'] };
    expect(edited({ name: 'n', ipam }, request)).toEqual({
      name: 'n',
      ipam: { type: 'calico-ipam', ...members },
    });
  });

  it('replaces a member that is written in another case, so that it is not there twice', () => {
    expect(edited({ IPAM: { IPv4_Pools: ['a'] } }, { ipv4Pools: ['b'] })).toEqual({
      IPAM: { IPv4_Pools: ['b'] },
    });
  });

  it('does not touch the text when nothing is asked for', () => {
    const text = '{ "ipam": 5 }';
    expect(withPoolRequest({ text, json: JSON.parse(text) }, NOTHING)).toBe(text);
  });

  it.each([[{}], [{ ipam: null }], [{ ipam: 'calico-ipam' }]])('refuses %j', (conf) => {
    expect(() => edited(conf, { families: [4] })).toThrow(
      expect.objectContaining({ kind: 'config', message: 'data on stdin was of unexpected type' }),
    );
  });
});
