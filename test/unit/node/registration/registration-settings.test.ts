import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../../src/base/cidr.ts';
import { readRegistrationSettings } from '../../../../src/node/registration/registration-settings.ts';

describe('readRegistrationSettings()', () => {
  it('is calico/node’s default when nothing is said', () => {
    expect(readRegistrationSettings({})).toMatchObject({
      nodeName: undefined,
      nodeNameFile: '/var/lib/calico/nodename',
      addresses: { 4: { use: 'recorded' }, 6: { use: 'recorded' } },
      methods: { 4: { by: 'interface', matching: [] } },
      checksConflicts: true,
      pollMs: 60_000,
      pools: [],
    });
  });

  it('never changes the case of NODENAME, but that of HOSTNAME', () => {
    const { nodeName, hostname } = readRegistrationSettings({ NODENAME: ' Node1 ', HOSTNAME: 'Host1' });
    expect([nodeName, hostname]).toEqual(['Node1', 'host1']);
  });

  it('takes names with the prefix that Calico’s calico.env has, after those without', () => {
    const prefixed = {
      CALICO_NODENAME: 'a',
      CALICO_IP: '10.0.0.1/24',
      CALICO_IP6: 'none',
      CALICO_AS: '64512',
    };
    expect(readRegistrationSettings(prefixed)).toEqual(
      readRegistrationSettings({ NODENAME: 'a', IP: '10.0.0.1/24', IP6: 'none', AS: '64512' }),
    );
    expect(readRegistrationSettings({ ...prefixed, NODENAME: 'b' }).nodeName).toBe('b');
  });

  it.each([
    ['60s', 60_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
  ])('takes AUTODETECT_POLL_INTERVAL=%s for %i ms', (text, ms) => {
    expect(readRegistrationSettings({ AUTODETECT_POLL_INTERVAL: text }).pollMs).toBe(ms);
  });

  it.each([
    [{ AS: '64512' }, 64_512],
    [{ AS: '1.10' }, 65_546],
    [{ AS: '64512', CALICO_NETWORKING_BACKEND: 'none' }, undefined],
  ])('with %j the AS number is %s', (env, expected) => {
    expect(readRegistrationSettings(env).asNumber).toBe(expected);
  });

  it.each([
    ['IP', 'eth0'],
    ['IP6', '10.0.0.1'],
    ['IP_AUTODETECTION_METHOD', 'interface'],
    ['IP6_AUTODETECTION_METHOD', 'x=y'],
    ['AUTODETECT_POLL_INTERVAL', '60'],
    ['AUTODETECT_POLL_INTERVAL', '0s'],
    ['AS', 'x'],
    ['AS', '4294967296'],
    ['AS', '1.65536'],
  ])('refuses %s=%s, and names both', (name, value) => {
    expect(() => readRegistrationSettings({ [name]: value })).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: expect.stringContaining(`${name} ${JSON.stringify(value)}`),
      }),
    );
  });
});

describe('pools of the settings', () => {
  const poolsOf = (env: Record<string, string>) =>
    readRegistrationSettings(env).pools.map(({ cidr, ...pool }) => ({ cidr: formatCidr(cidr), ...pool }));

  it('are those that are asked for', () => {
    const env = {
      CALICO_IPV4POOL_CIDR: '10.65.0.0/16',
      CALICO_IPV4POOL_VXLAN: 'CrossSubnet',
      CALICO_IPV4POOL_BLOCK_SIZE: '27',
      CALICO_IPV6POOL_CIDR: 'fd65::/48',
    };
    expect(poolsOf(env)).toMatchObject([
      {
        name: 'default-ipv4-ippool',
        cidr: '10.65.0.0/16',
        vxlanMode: 'CrossSubnet',
        blockSize: 27,
        natOutgoing: true,
      },
      {
        name: 'default-ipv6-ippool',
        cidr: 'fd65::/48',
        vxlanMode: 'Never',
        blockSize: 122,
        natOutgoing: false,
      },
    ]);
  });

  it.each([
    [{}],
    [{ NO_DEFAULT_POOLS: 'true' }],
    [{ CALICO_IPV4POOL_CIDR: 'none' }],
    [{ CALICO_IPV4POOL_CIDR: '' }],
  ])('are none with %j', (env) => {
    expect(poolsOf(env)).toEqual([]);
  });

  it.each([
    [{ NO_DEFAULT_POOLS: 'true', CALICO_IPV4POOL_CIDR: '10.0.0.0/16' }, 'NO_DEFAULT_POOLS'],
    [{ CALICO_IPV4POOL_CIDR: 'fd00::/48' }, 'it is not IPv4'],
    [{ CALICO_IPV4POOL_CIDR: '10.0.0.0/16', CALICO_IPV4POOL_VXLAN: 'Sometimes' }, 'CALICO_IPV4POOL_VXLAN'],
    [
      {
        CALICO_IPV4POOL_CIDR: '10.0.0.0/16',
        CALICO_IPV4POOL_VXLAN: 'Always',
        CALICO_IPV4POOL_IPIP: 'Always',
      },
      'both',
    ],
    [{ CALICO_IPV4POOL_CIDR: '10.0.0.0/16', CALICO_IPV4POOL_BLOCK_SIZE: '40' }, 'block size'],
    [{ CALICO_IPV4POOL_CIDR: '10.0.0.0/16', CALICO_IPV4POOL_NODE_SELECTOR: 'has(' }, 'has('],
  ])('are refused with %j', (env, message) => {
    expect(() => poolsOf(env)).toThrow(
      expect.objectContaining({ kind: 'config', message: expect.stringContaining(message) }),
    );
  });
});
