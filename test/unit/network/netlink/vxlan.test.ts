import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import { addVxlan, decodeVxlan, type VxlanLink } from '../../../../src/network/netlink/vxlan.ts';

const LINK: VxlanLink = {
  name: 'vxlan.calico',
  mac: parseMacAddress('66:f9:37:c3:7e:94'),
  mtu: 1450,
  vni: 4096,
  port: 4789,
  local: parseIpAddress('10.50.0.11'),
  parentIfIndex: 7,
};

describe('addVxlan()', () => {
  it('says id, source, parent, port and that nothing is learned', () => {
    const request = addVxlan(LINK);

    expect(request).toMatchObject({ name: 'RTM_NEWLINK', type: 16, flags: 0x600 });
    expect(Buffer.from(request.payload).toString('hex')).toBe(
      [
        '00'.repeat(16),
        `11000300${hex('vxlan.calico')}00000000`,
        '0a000100' + '66f937c37e94' + '0000',
        '08000400' + 'aa050000',
        // IFLA_LINKINFO: IFLA_INFO_KIND, IFLA_INFO_DATA
        ...['3c001200', `0a000100${hex('vxlan')}000000`, '2c000200'],
        ...['08000100' + '00100000', '08000400' + '0a32000b', '08000300' + '07000000'],
        ...['05000700' + '00000000', '06000f00' + '12b50000'],
      ].join(''),
    );
  });

  it.each(['10.50.0.11', '2001:db8:50::11'])('is read back with the source %s', (local) => {
    const address = parseIpAddress(local);

    expect(decodeVxlan(Buffer.from(addVxlan({ ...LINK, local: address }).payload))).toEqual({
      vni: 4096,
      port: 4789,
      local: address,
      parentIfIndex: 7,
      isLearning: false,
      hasForeignFlags: false,
    });
  });
});

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
