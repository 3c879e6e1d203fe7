import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { pictureOf } from '../../../../src/network/netlink/nftables/picture.ts';
import { replaceTable } from '../../../../src/network/netlink/nftables/table.ts';
import type { HostNat } from '../../../../src/node/desired/desired-host.ts';
import { natTable } from '../../../../src/node/nat/nat-table.ts';

const NAT: HostNat = {
  family: 4,
  masqueraded: [parseCidr('10.77.0.0/16')],
  excluded: [parseCidr('10.77.0.0/16')],
  outInterfaces: [],
  ports: undefined,
  address: undefined,
  tunnels: [],
};

function rangesOf(excluded: readonly string[], family: 4 | 6 = 4) {
  const nat = { ...NAT, family, excluded: excluded.map(parseCidr) };
  return natTable(nat)?.sets.find(({ name }) => name === 'excluded')?.ranges;
}

describe('natTable()', () => {
  it('is not needed when nothing is masqueraded and there is no tunnel', () => {
    expect(natTable({ ...NAT, masqueraded: [] })).toBeUndefined();
    expect(
      natTable({ ...NAT, masqueraded: [], tunnels: [{ device: 'tunl0', udpPorts: undefined }] }),
    ).toBeDefined();
  });

  it('joins ranges that touch or overlap, in whatever order', () => {
    expect(rangesOf(['10.2.0.0/16', '10.0.0.0/16', '10.1.0.0/16', '10.1.7.0/24'])).toEqual([
      { first: 0x0a000000n, end: 0x0a030000n },
    ]);
    expect(rangesOf(['10.2.0.0/16', '10.0.0.0/16'])).toEqual([
      { first: 0x0a000000n, end: 0x0a010000n },
      { first: 0x0a020000n, end: 0x0a030000n },
    ]);
    expect(rangesOf([])).toEqual([]);
  });

  it('gives ranges up to the last address no end', () => {
    expect(rangesOf(['0.0.0.0/0'])).toEqual([{ first: 0n, end: undefined }]);
    expect(rangesOf(['ff00::/8'], 6)).toEqual([{ first: 0xffn << 120n, end: undefined }]);
  });

  it('has one rule for each interface, and with limited ports one more for TCP and for UDP', () => {
    const rules = (nat: Partial<HostNat>) => natTable({ ...NAT, ...nat })?.chains[0]?.rules.length;
    expect(rules({})).toBe(1);
    expect(rules({ outInterfaces: ['eth0', 'eth1'] })).toBe(2);
    expect(rules({ ports: { first: 1, last: 2 } })).toBe(3);
    expect(rules({ tunnels: [{ device: 'vxlan.calico', udpPorts: { first: 4790, last: 65_535 } }] })).toBe(3);
  });

  it('is, in bytes, what the kernel gave back of the same table made by nft', () => {
    const table = natTable(NAT);

    expect(table && pictureOf(table)).toBe(
      [
        'set excluded 00000000) 0a4d0000[ 0a4e0000)',
        'set masqueraded 00000000) 0a4d0000[ 0a4e0000)',
        'chain postrouting nat 4 100',
        `rule postrouting ${[
          // payload: register 1, network header, offset 12, length 4
          '340001000c0001007061796c6f61640024000200' + '0800010000000001' + '0800020000000001',
          '080003000000000c' + '0800040000000004',
          // lookup: masqueraded
          '340001000b0001006c6f6f6b75700000240002001000010' + '06d61737175657261646564000800020000000001',
          '0800050000000000',
          // payload: offset 16; lookup: excluded, inverted
          '340001000c0001007061796c6f61640024000200' + '0800010000000001' + '0800020000000001',
          '0800030000000010' + '0800040000000004',
          '340001000b0001006c6f6f6b7570000024000200' + '0d0001006578636c7564656400000000',
          '0800020000000001' + '0800050000000001',
          // masq: fully random
          '1c000100090001006d617371000000000c000200' + '0800010000000010',
        ].join('')}`,
      ].join('\n'),
    );
  });

  it('is replaced by making it, so that it can be removed, and making it anew', () => {
    const table = natTable(NAT);
    const names = table && replaceTable(table).map(({ name }) => name.replace('NFT_MSG_', ''));

    expect(names).toEqual([
      ...['NEWTABLE', 'DELTABLE', 'NEWTABLE', 'NEWSET', 'NEWSETELEM', 'NEWSET', 'NEWSETELEM', 'NEWCHAIN'],
      'NEWRULE',
    ]);
  });
});
