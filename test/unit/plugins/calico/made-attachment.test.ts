import { describe, expect, it } from 'vitest';
import { formatIpAddress } from '../../../../src/base/ip-address.ts';
import { madeAttachment } from '../../../../src/plugins/calico/made-attachment.ts';
import { chainResult } from '../../../support/chain-result.ts';

const NAMES = { usual: 'cali1', alternative: 'cali2' };
const sandboxed = { name: 'eth0', sandbox: '/run/netns/pod' };
const made = (changes: Partial<typeof chainResult>) =>
  madeAttachment({ ...chainResult, ...changes }, 'eth0', NAMES);

describe('madeAttachment()', () => {
  it('is what the result of the chain says of CNI_IFNAME', () => {
    const { addresses, ...rest } = made({});
    expect(addresses.map(formatIpAddress)).toEqual(['10.9.0.1', 'fd00:9::1']);
    expect(rest).toEqual({ hostIfName: 'cali1', mac: '02:00:00:00:00:01', mtu: 1440, hasIpamRoutes: true });
  });

  it.each([
    [['cali1', 'bwp1'], 'cali1'],
    [['bwp1', 'cali2'], 'cali2'],
    [['tap7', 'bwp1'], 'tap7'],
    [[], 'cali1'],
  ])('of %j on the host it is %s', (names, hostIfName) => {
    const interfaces = [sandboxed, ...names.map((name) => ({ name }))];
    expect(made({ interfaces, ips: [] }).hostIfName).toBe(hostIfName);
  });

  it('knows neither MAC nor MTU where the result does not', () => {
    expect(made({ interfaces: [sandboxed], ips: [] })).toMatchObject({ mac: undefined, mtu: undefined });
  });

  it('reads a MAC as any plugin may write it', () => {
    const interfaces = [{ ...sandboxed, mac: '02-00-00-00-00-AB' }];
    expect(made({ interfaces, ips: [] }).mac).toBe('02:00:00:00:00:ab');
  });

  it('tells addresses that IPAM gave by their routes', () => {
    expect(made({ routes: [] }).hasIpamRoutes).toBe(false);
    const dst = { address: { family: 4, value: 0n }, prefixLength: 0 } as const;
    expect(made({ routes: [{ dst }] }).hasIpamRoutes).toBe(false);
  });
});
