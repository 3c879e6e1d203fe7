import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIpNetwork } from '../../../src/base/cidr.ts';
import type { IpAddress, IpFamily } from '../../../src/base/ip-address.ts';
import { parsePrevResult, parseResult } from '../../../src/cni/parse-result.ts';
import type { CniResult } from '../../../src/cni/result.ts';
import { formatResult } from '../../../src/cni/result-versions.ts';
import { type CniVersion, SUPPORTED_VERSIONS } from '../../../src/cni/version.ts';
import golden from '../../fixtures/cni/result-conversions.json' with { type: 'json' };

const CALICO_RESULT = parseResult(
  {
    cniVersion: '1.1.0',
    interfaces: [
      { name: 'calicid-0x4x0' },
      { name: 'eth0', mac: '8a:93:24:ce:00:d7', mtu: 1440, sandbox: '/var/run/netns/cs0.4.0' },
    ],
    ips: [
      { interface: 1, address: '10.77.0.116/32' },
      { interface: 1, address: 'fd77::304:6d0b:fc5f:a9a4/128' },
    ],
    routes: [{ dst: '10.77.0.116/28' }, { dst: 'fd77::304:6d0b:fc5f:a9a4/124' }],
  },
  '',
);

describe('formatResult() prints what Calico prints', () => {
  it.each(['0.1.0', '0.2.0'] as const)('for %s: one address per family, no interfaces', (version) => {
    expect(formatResult(CALICO_RESULT, version)).toBe(
      `{
    "cniVersion": "${version}",
    "ip4": {
        "ip": "10.77.0.116/32",
        "routes": [
            {
                "dst": "10.77.0.116/28"
            }
        ]
    },
    "ip6": {
        "ip": "fd77::304:6d0b:fc5f:a9a4/128",
        "routes": [
            {
                "dst": "fd77::304:6d0b:fc5f:a9a4/124"
            }
        ]
    },
    "dns": {}
}`,
    );
  });

  it.each(['0.3.0', '0.3.1', '0.4.0'] as const)('for %s: versions of addresses, empty dns', (version) => {
    expect(formatResult(CALICO_RESULT, version)).toBe(
      `{
    "cniVersion": "${version}",
    "interfaces": [
        {
            "name": "calicid-0x4x0"
        },
        {
            "name": "eth0",
            "mac": "8a:93:24:ce:00:d7",
            "sandbox": "/var/run/netns/cs0.4.0"
        }
    ],
    "ips": [
        {
            "version": "4",
            "interface": 1,
            "address": "10.77.0.116/32"
        },
        {
            "version": "6",
            "interface": 1,
            "address": "fd77::304:6d0b:fc5f:a9a4/128"
        }
    ],
    "routes": [
        {
            "dst": "10.77.0.116/28"
        },
        {
            "dst": "fd77::304:6d0b:fc5f:a9a4/124"
        }
    ],
    "dns": {}
}`,
    );
  });

  it.each(['1.0.0', '1.1.0'] as const)('for %s: sorted keys, the MTU, no dns', (version) => {
    expect(formatResult(CALICO_RESULT, version)).toBe(
      `{
    "cniVersion": "${version}",
    "interfaces": [
        {
            "name": "calicid-0x4x0"
        },
        {
            "mac": "8a:93:24:ce:00:d7",
            "mtu": 1440,
            "name": "eth0",
            "sandbox": "/var/run/netns/cs0.4.0"
        }
    ],
    "ips": [
        {
            "address": "10.77.0.116/32",
            "interface": 1
        },
        {
            "address": "fd77::304:6d0b:fc5f:a9a4/128",
            "interface": 1
        }
    ],
    "routes": [
        {
            "dst": "10.77.0.116/28"
        },
        {
            "dst": "fd77::304:6d0b:fc5f:a9a4/124"
        }
    ]
}`,
    );
  });

  it('with index 0, table 0 and scope 0, but without a zero MTU, priority or advmss', () => {
    const dst = { address: { family: 4, value: 0n }, prefixLength: 0 } as const;
    const result: CniResult = {
      interfaces: [{ name: 'x', mtu: 0, mac: '' }],
      ips: [{ address: dst, interface: 0 }],
      routes: [{ dst, mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 }],
      dns: { nameservers: [], domain: '' },
    };
    expect(JSON.parse(formatResult(result, '1.1.0'))).toEqual({
      cniVersion: '1.1.0',
      interfaces: [{ name: 'x' }],
      ips: [{ address: '0.0.0.0/0', interface: 0 }],
      routes: [{ dst: '0.0.0.0/0', table: 0, scope: 0 }],
    });
  });
});

describe('a result of one version printed as another is what the Go library makes of it', () => {
  const cases = golden.cases.map((entry, i) => ({ ...entry, i, fromVersion: entry.from.cniVersion }));
  it.each(cases)('case $i: $fromVersion to $to', ({ from, to, text, error }) => {
    const convert = () => formatResult(parseResult(from, ''), to as CniVersion);
    if (error !== undefined) expect(convert).toThrow(error);
    else expect(convert()).toBe(text);
  });

  it('and every version is among them, as source and as target', () => {
    expect(new Set(golden.cases.map(({ to }) => to))).toEqual(new Set(SUPPORTED_VERSIONS));
  });
});

const family = fc.constantFrom<IpFamily>(4, 6);
const address = (of: IpFamily): fc.Arbitrary<IpAddress> =>
  // An IPv6 address with a mapped IPv4 one inside reads back as IPv4, as in Go.
  fc
    .bigInt({ min: 0n, max: of === 4 ? 0xffff_ffffn : (1n << 128n) - 1n })
    .filter((value) => of === 4 || value >> 32n !== 0xffffn)
    .map((value) => ({ family: of, value }));
const network = family.chain((of) =>
  fc.record({ address: address(of), prefixLength: fc.integer({ min: 0, max: of === 4 ? 32 : 128 }) }),
);
const anyAddress = family.chain(address);
const word = fc.string({ minLength: 1, maxLength: 8 });
const count = fc.integer({ min: 1, max: 65535 });
const anyResult: fc.Arbitrary<CniResult> = fc.record({
  interfaces: fc.array(
    fc.record(
      { name: word, mac: word, mtu: count, sandbox: word, socketPath: word, pciID: word },
      { requiredKeys: ['name'] },
    ),
    { maxLength: 3 },
  ),
  ips: fc.array(
    fc.record({ address: network, gateway: anyAddress, interface: fc.nat(3) }, { requiredKeys: ['address'] }),
    { maxLength: 4 },
  ),
  routes: fc.array(
    fc.record(
      {
        dst: network,
        gw: anyAddress,
        mtu: count,
        advmss: count,
        priority: count,
        table: fc.nat(),
        scope: fc.nat(255),
      },
      { requiredKeys: ['dst'] },
    ),
    { maxLength: 4 },
  ),
  dns: fc.record(
    {
      nameservers: fc.array(word, { minLength: 1, maxLength: 2 }),
      domain: word,
      search: fc.array(word, { minLength: 1, maxLength: 2 }),
      options: fc.array(word, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  ),
});

const reread = (result: CniResult, version: CniVersion) =>
  parseResult(JSON.parse(formatResult(result, version)), '');

describe('a printed result reads back', () => {
  it.each(['1.0.0', '1.1.0'] as const)('as itself in %s', (version) => {
    fc.assert(
      fc.property(anyResult, (result) => {
        expect(reread(result, version)).toEqual(result);
      }),
    );
  });

  it.each(['0.3.0', '0.3.1', '0.4.0'] as const)(
    'in %s without what only newer interfaces have',
    (version) => {
      fc.assert(
        fc.property(anyResult, (result) => {
          const interfaces = result.interfaces.map(({ mtu: _1, socketPath: _2, pciID: _3, ...kept }) => kept);
          expect(reread(result, version)).toEqual({ ...result, interfaces });
        }),
      );
    },
  );

  it.each(['0.1.0', '0.2.0'] as const)(
    'in %s as the first address of each family and its routes',
    (version) => {
      fc.assert(
        fc.property(anyResult, (result) => {
          const first = ([4, 6] as const).flatMap((of) =>
            result.ips.filter(({ address: ip }) => ip.address.family === of).slice(0, 1),
          );
          fc.pre(first.length > 0);
          const back = reread(result, version);
          expect(back.interfaces).toEqual([]);
          expect(back.ips).toEqual(first.map(({ interface: _, ...ip }) => ip));
          expect(back.routes.map(({ dst }) => formatIpNetwork(dst)).sort()).toEqual(
            result.routes
              .filter(({ dst }) => first.some(({ address: ip }) => ip.address.family === dst.address.family))
              .map(({ dst }) => formatIpNetwork(dst))
              .sort(),
          );
          expect(back.dns).toEqual(result.dns);
        }),
      );
    },
  );

  it('as the same text again, whatever the version', () => {
    fc.assert(
      fc.property(anyResult, fc.constantFrom(...SUPPORTED_VERSIONS), (result, version) => {
        fc.pre(result.ips.length > 0);
        const text = formatResult(result, version);
        expect(formatResult(parseResult(JSON.parse(text), ''), version)).toBe(text);
      }),
    );
  });
});

describe('parseResult()', () => {
  it('takes null and {} as an empty result of the configuration\u2019s version', () => {
    const empty = { interfaces: [], ips: [], routes: [], dns: {} };
    expect(parseResult(null, '1.0.0')).toEqual(empty);
    expect(parseResult({ cniVersion: '' }, '0.2.0')).toEqual(empty);
  });

  it('reads a result without cniVersion in the version of the configuration', () => {
    const ip4 = { ip: '10.0.0.1/24' };
    expect(parseResult({ ip4 }, '0.2.0').ips).toHaveLength(1);
    expect(parseResult({ ip4 }, '1.0.0').ips).toHaveLength(0);
  });

  it.each([
    [{ cniVersion: '2.0.0' }, 'no converter for CNI result version 2.0.0 to 1.1.0'],
    [{ cniVersion: 1 }, 'cniVersion must be a string, found number 1'],
    [[], 'result must be an object, found an array'],
    [{ ips: {} }, 'ips must be an array, found an object'],
    [{ ips: [null] }, 'ips[0] must be an object, found null'],
    [{ ips: [{}] }, 'ips[0].address must be an address with a prefix length, found nothing'],
    [
      { ips: [{ address: '10.0.0.1' }] },
      'ips[0].address must be an address with a prefix length, found string "10.0.0.1"',
    ],
    [
      { ips: [{ address: '10.0.0.1/33' }] },
      'ips[0].address must be an address with a prefix length, found string "10.0.0.1/33"',
    ],
    [
      { ips: [{ address: '10.0.0.1/8', gateway: 'gw' }] },
      'ips[0].gateway must be an IP address, found string "gw"',
    ],
    [
      { ips: [{ address: '10.0.0.1/8', interface: '1' }] },
      'ips[0].interface must be a whole number, found string "1"',
    ],
    [
      { ips: [{ address: '10.0.0.1/8', interface: -1 }] },
      'ips[0].interface must be a whole number, found number -1',
    ],
    [{ interfaces: [{ name: 5 }] }, 'interfaces[0].name must be a string, found number 5'],
    [{ interfaces: [{ mtu: 1.5 }] }, 'interfaces[0].mtu must be a whole number, found number 1.5'],
    [
      { routes: [{ gw: '10.0.0.1' }] },
      'routes[0].dst must be an address with a prefix length, found nothing',
    ],
    [{ dns: { search: 'x' } }, 'dns.search must be an array, found string "x"'],
    [{ dns: { search: [1] } }, 'dns.search[0] must be a string, found number 1'],
    [{ cniVersion: '0.2.0', ip4: [] }, 'ip4 must be an object, found an array'],
    [
      { cniVersion: '0.2.0', ip6: { ip: '::1' } },
      'ip6.ip must be an address with a prefix length, found string "::1"',
    ],
    [
      { cniVersion: '0.2.0', ip4: { ip: '10.0.0.1/8', routes: [{}] } },
      'ip4.routes[0].dst must be an address with a prefix length, found nothing',
    ],
  ])('refuses %j', (value, message) => {
    expect(() => parseResult(value, '1.1.0')).toThrow(expect.objectContaining({ kind: 'decode', message }));
  });
});

describe('parsePrevResult()', () => {
  it('is undefined without a prevResult', () => {
    expect(parsePrevResult({ json: {}, cniVersion: '1.0.0' })).toBeUndefined();
    expect(parsePrevResult({ json: { prevResult: null }, cniVersion: '1.0.0' })).toBeUndefined();
  });

  it('names prevResult in its errors', () => {
    expect(() => parsePrevResult({ json: { prevResult: { ips: 1 } }, cniVersion: '1.0.0' })).toThrow(
      'could not parse prevResult: ips must be an array, found number 1',
    );
  });

  it('reads it in the version of the configuration', () => {
    const json = { prevResult: { ip4: { ip: '10.0.0.1/32' } } };
    expect(parsePrevResult({ json, cniVersion: '0.1.0' })?.ips).toHaveLength(1);
  });
});
