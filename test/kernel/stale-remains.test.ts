/** What a GC takes from the host, on the real kernel. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { removeHostLinks, removeHostRoutes, seeHostLinks } from '../../src/network/stale-remains.ts';
import { type Lab, makeLab, whyNoNetns } from '../support/netns.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`stale remains${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: Lab;

  beforeEach(() => {
    lab = makeLab();
  });
  afterEach(() => lab[Symbol.dispose]());

  const pair = (name: string) =>
    lab.host.sh(
      `ip link add ${name} type veth peer name eth0 netns ${lab.pod.name}; ip link set ${name} up; ip -n ${lab.pod.name} link set eth0 name p${name}; ip -n ${lab.pod.name} link set p${name} up`,
    );
  const links = () =>
    lab.host
      .sh('ip -br link')
      .split('\n')
      .map((line) => line.split(/[@ ]/)[0]);
  const route = (address: string) =>
    lab.host.sh(`ip ${address.includes(':') ? '-6' : '-4'} route show ${address}`).trim();

  it('sees the interfaces that are there, each once', () => {
    pair('calia');
    pair('calib');
    expect(seeHostLinks(['calia', 'none', 'calib', 'calia']).map(({ name }) => name)).toEqual([
      'calia',
      'calib',
    ]);
  });

  it('removes pairs with their routes, several at once', async () => {
    for (const name of ['calia', 'calib', 'calic']) pair(name);
    lab.host.sh('ip route add 10.9.0.1/32 dev calia');
    expect(await removeHostLinks(seeHostLinks(['calia', 'calib']))).toEqual([]);
    expect(links().filter((name) => name?.startsWith('cali'))).toEqual(['calic']);
    expect(lab.pod.sh('ip -br link')).not.toContain('pcalia');
    expect(route('10.9.0.1')).toBe('');
  });

  it('takes what is gone for success, and leaves another interface that has got the name', async () => {
    pair('calia');
    const seen = seeHostLinks(['calia']);
    lab.host.sh('ip link del calia');
    expect(await removeHostLinks(seen)).toEqual([]);
    pair('calia');
    expect(await removeHostLinks(seen)).toEqual([]);
    expect(links()).toContain('calia');
  });

  it('leaves an interface that can be no pod’s', async () => {
    lab.host.sh('ip link add calibr type bridge');
    expect(await removeHostLinks(seeHostLinks(['calibr']))).toEqual([
      'interface calibr was not deleted: it is bridge, and pods have veth or netkit',
    ]);
    expect(links()).toContain('calibr');
  });

  it('removes the routes over interfaces of the names, and no others', () => {
    pair('calia');
    pair('calib');
    const [mine, theirs, six] = ['10.9.0.1', '10.9.0.2', 'fd00:9::1'];
    lab.host.sh(
      `ip route add ${mine} dev calia; ip route add ${theirs} dev calib; ip -6 route add ${six} dev calia`,
    );
    const addresses = [mine, theirs, six, '10.9.0.3'].map((text) => parseIpAddress(text ?? ''));
    expect(removeHostRoutes(addresses, new Set(['calia']))).toEqual([
      'the route to 10.9.0.2 over calib was left alone',
    ]);
    expect([mine, theirs, six].map((address) => route(address ?? ''))).toEqual([
      '',
      expect.stringContaining('dev calib'),
      '',
    ]);
  });

  it('leaves a wider route', () => {
    pair('calia');
    lab.host.sh('ip route add 10.9.0.0/24 dev calia');
    expect(removeHostRoutes([parseIpAddress('10.9.0.1')], new Set(['calia']))).toEqual([]);
    expect(route('10.9.0.0/24')).toContain('dev calia');
  });
});
