import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { type IpFamily, parseIpAddress } from '../../../src/base/ip-address.ts';
import { readPicture } from '../../../src/network/netlink/nftables/picture.ts';
import { type NetlinkSocket, openFilterSocket } from '../../../src/network/netlink/socket.ts';
import type { HostNat } from '../../../src/node/desired/desired-host.ts';
import { keepNat } from '../../../src/node/nat/keep-nat.ts';
import { NAT_TABLE } from '../../../src/node/nat/nat-table.ts';
import { makeNetns, moveTo, type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { findTool } from '../../support/tools.ts';

const UDP_PORTS = { first: 4790, last: 65_535 };
const V4: HostNat = {
  family: 4,
  masqueraded: [parseCidr('10.77.0.0/16')],
  excluded: ['10.77.0.0/16', '10.99.0.0/24', '255.0.0.0/8'].map(parseCidr),
  outInterfaces: [],
  ports: undefined,
  address: undefined,
  tunnels: [
    { device: 'vxlan.calico', udpPorts: UDP_PORTS },
    { device: 'tunl0', udpPorts: undefined },
  ],
};
const V6: HostNat = {
  ...V4,
  family: 6,
  masqueraded: [parseCidr('fd00:77::/48')],
  excluded: ['fd00:77::/48', 'fd00:99::/64'].map(parseCidr),
  tunnels: [{ device: 'vxlan-v6.calico', udpPorts: UDP_PORTS }],
};

const OUTGOING = 'saddr @masqueraded IP daddr != @excluded';
const TUNNEL = 'fib saddr . oif type != local fib saddr type local';

/** The same in nft's language. */
const CASES: readonly (readonly [string, HostNat, readonly string[]])[] = [
  [
    'of IPv4',
    V4,
    [
      `ip ${OUTGOING} masquerade fully-random`,
      ...tunnelLines('vxlan.calico'),
      `oifname "tunl0" ${TUNNEL} masquerade fully-random`,
    ],
  ],
  ['of IPv6', V6, [`ip6 ${OUTGOING} masquerade fully-random`, ...tunnelLines('vxlan-v6.calico')]],
  [
    'with ports, on some interfaces',
    { ...V4, tunnels: [], outInterfaces: ['eth*', 'bond0'], ports: { first: 2000, last: 3000 } },
    ['"eth*"', '"bond0"'].flatMap((name) => [
      `oifname ${name} ip ${OUTGOING} meta l4proto tcp masquerade to :2000-3000 fully-random`,
      `oifname ${name} ip ${OUTGOING} meta l4proto udp masquerade to :2000-3000 fully-random`,
      `oifname ${name} ip ${OUTGOING} masquerade fully-random`,
    ]),
  ],
  [
    'with an address instead of that of the interface',
    { ...V4, tunnels: [], address: parseIpAddress('192.0.2.9') },
    [`ip ${OUTGOING} snat to 192.0.2.9 fully-random`],
  ],
  [
    'with an IPv6 address and ports',
    { ...V6, tunnels: [], address: parseIpAddress('2001:db8::9'), ports: { first: 2000, last: 3000 } },
    [
      `ip6 ${OUTGOING} meta l4proto tcp snat to [2001:db8::9]:2000-3000 fully-random`,
      `ip6 ${OUTGOING} meta l4proto udp snat to [2001:db8::9]:2000-3000 fully-random`,
      `ip6 ${OUTGOING} snat to 2001:db8::9 fully-random`,
    ],
  ],
];

function tunnelLines(device: string): readonly string[] {
  return [
    `oifname "${device}" ${TUNNEL} meta l4proto udp masquerade to :4790-65535 fully-random`,
    `oifname "${device}" ${TUNNEL} masquerade fully-random`,
  ];
}

function script({ family, masqueraded, excluded }: HostNat, rules: readonly string[]): string {
  const ip = family === 4 ? 'ip' : 'ip6';
  const set = (name: string, cidrs: HostNat['excluded']) =>
    `set ${name} { type ipv${family}_addr; flags interval; elements = { ${cidrs.map(text).join(', ')} } }`;
  return `table ${ip} ${NAT_TABLE} {
    ${set('masqueraded', masqueraded)}
    ${set('excluded', excluded)}
    chain postrouting {
      type nat hook postrouting priority srcnat; policy accept;
      ${rules.map((rule) => rule.replace('IP', ip)).join('\n')}
    }
  }`;
}

describe.skipIf(whyNoNetns() !== undefined || findTool('nft') === undefined)('keepNat()', () => {
  let stack: DisposableStack;
  let host: TestNetns;
  let socket: NetlinkSocket;

  beforeEach(() => {
    stack = new DisposableStack();
    host = stack.use(makeNetns('host'));
    stack.use(moveTo(host));
    socket = stack.use(openFilterSocket());
  });
  afterEach(() => stack.dispose());

  it.each(CASES)('makes the table %s that nft makes, byte for byte', (_what, nat, rules) => {
    host.sh(`nft -f - <<'END'\n${script(nat, rules)}\nEND`);
    const [wanted, wantedBytes] = [list(host, nat.family), readPicture(socket, nat.family, NAT_TABLE)];
    host.sh('nft flush ruleset');

    expect(keepNat(socket, nat)).toBe('replaced');

    expect(list(host, nat.family)).toEqual(wanted);
    expect(readPicture(socket, nat.family, NAT_TABLE)).toBe(wantedBytes);
  });

  it.each(CASES)('finds nothing to do in the table %s that is right', (_what, nat) => {
    keepNat(socket, nat);
    const before = host.sh('nft -a list ruleset');

    expect(keepNat(socket, nat)).toBe('none');
    expect(host.sh('nft -a list ruleset')).toBe(before);
  });

  it('takes the table away when nothing is masqueraded, and leaves those of others', () => {
    host.sh(
      `nft add table ip theirs; nft add chain ip theirs postrouting '{ type nat hook postrouting priority 100; }'`,
    );
    keepNat(socket, V4);
    const nothing = { ...V4, masqueraded: [], tunnels: [] };

    expect(keepNat(socket, nothing)).toBe('removed');
    expect(keepNat(socket, nothing)).toBe('none');
    expect(host.sh('nft list tables')).toBe('table ip theirs');
  });

  it('takes thousands of exceptions', () => {
    const hosts = Array.from({ length: 5000 }, (_, n) => parseCidr(`10.${n >> 7}.${(n & 127) * 2}.1/32`));

    expect(keepNat(socket, { ...V4, excluded: hosts })).toBe('replaced');
    expect(keepNat(socket, { ...V4, excluded: hosts })).toBe('none');
    expect(host.sh('nft list set ip calico-node excluded').match(/(?:\d+\.){3}1\b/g)).toHaveLength(5000);
    expect(keepNat(socket, V4)).toBe('replaced');
  });

  it('changes nothing when the kernel refuses a part, and says what', () => {
    keepNat(socket, V4);
    const before = host.sh('nft -a list ruleset');
    // An address of the other family.
    const wrong = { ...V4, address: parseIpAddress('2001:db8::9') };

    expect(() => keepNat(socket, wrong)).toThrow(
      /^failed to replace the nftables table ip calico-node: NFT_MSG_NEWRULE: E/,
    );
    expect(host.sh('nft -a list ruleset')).toBe(before);
    expect(keepNat(socket, V4)).toBe('none');
  });
});

function text({ family, base, prefixLength }: HostNat['excluded'][number]): string {
  const groups = family === 4 ? 4 : 8;
  const bits = family === 4 ? 8n : 16n;
  const parts = Array.from(
    { length: groups },
    (_, n) => (base >> (bits * BigInt(groups - 1 - n))) & ((1n << bits) - 1n),
  );
  return `${parts.map((part) => part.toString(family === 4 ? 10 : 16)).join(family === 4 ? '.' : ':')}/${prefixLength}`;
}

/** As `nft -j` tells it, without the numbers that the kernel gives. */
function list(host: TestNetns, family: IpFamily): unknown {
  const found = host.sh(`nft -j list table ${family === 4 ? 'ip' : 'ip6'} ${NAT_TABLE}`);
  return JSON.parse(found, (key, value) => (key === 'handle' || key === 'metainfo' ? undefined : value));
}
