import { describe, expect, it } from 'vitest';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { decodeNetConf } from '../../../src/cni/net-conf-bytes.ts';
import { formatResult } from '../../../src/cni/result-versions.ts';
import { addressesOf, requirePrevResult, sandboxInterface } from '../../../src/plugins/prev-result.ts';
import { chainResult } from '../../support/chain-result.ts';

function confWith(prevResult: unknown, cniVersion = '1.1.0') {
  return decodeNetConf(JSON.stringify({ cniVersion, name: 'net1', prevResult }));
}

describe('requirePrevResult()', () => {
  it.each(['0.4.0', '1.0.0', '1.1.0'] as const)('reads a result of version %s', (version) => {
    const result = requirePrevResult(confWith(JSON.parse(formatResult(chainResult, version)), version));
    expect(sandboxInterface(result, 'eth0').mac).toBe('02:00:00:00:00:01');
    expect(addressesOf(result, 'eth0').map(formatIpAddress)).toEqual(['10.9.0.1', 'fd00:9::1']);
    expect(result.routes).toHaveLength(2);
  });

  it.each([undefined, null])('refuses a configuration with %s', (prevResult) => {
    expect(() => requirePrevResult(confWith(prevResult))).toThrow(
      expect.objectContaining({ kind: 'config', message: 'required prevResult missing' }),
    );
  });
});

describe('sandboxInterface()', () => {
  it('is not the one of that name on the host, nor another one of the sandbox', () => {
    const sandbox = '/run/netns/pod';
    const interfaces = [{ name: 'eth0' }, { name: 'net1', sandbox }];
    expect(() => sandboxInterface({ ...chainResult, interfaces }, 'eth0')).toThrow(
      'prevResult names no interface eth0 in a sandbox',
    );
  });
});

describe('addressesOf()', () => {
  it('leaves out what belongs to another interface, and keeps what is said to belong to none', () => {
    const [first, second] = chainResult.ips;
    if (first === undefined || second === undefined) throw new Error('it has two');
    const ips = [{ address: first.address }, { ...second, interface: 0 }];
    expect(addressesOf({ ...chainResult, ips }, 'eth0')).toEqual([first.address.address]);
  });
});
