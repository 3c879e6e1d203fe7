import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { applyChanges } from '../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../src/node/cluster.ts';
import { felixSettings } from '../../../src/node/felix-settings.ts';
import { felixRecord } from './records.ts';

function settingsOf(spec: object, ownSpec: object = {}, overrides: Record<string, unknown> = {}) {
  return felixSettings(
    applyChanges(unknownCluster('node1', overrides), [
      felixRecord('default', spec),
      felixRecord('node.node1', ownSpec),
    ]),
  );
}

describe('felixSettings()', () => {
  it('has Felix’s defaults', () => {
    expect(settingsOf({}).settings).toMatchObject({
      vxlanVni: 4096,
      vxlanPort: 4789,
      vxlanMtu: { 4: 0, 6: 0 },
      isVxlanEnabled: undefined,
      programClusterRoutes: 'EnabledIPIPOnly',
      forwardsIp: true,
      natPorts: undefined,
      excludesHostsFromNat: false,
      metrics: { isEnabled: true, host: '127.0.0.1', port: 9091 },
      health: { isEnabled: true, host: '127.0.0.1', port: 9099 },
    });
    const { mtuIfacePattern } = settingsOf({}).settings;
    const names = ['eth0', 'enp3s0', 'wlan1', 'bond0', 'cali1', 'docker0', 'vxlan.calico'];
    expect(names.filter((name) => mtuIfacePattern.test(name))).toEqual(['eth0', 'enp3s0', 'wlan1']);
  });

  it('takes the one feature that matters from featureDetectOverride', () => {
    const broken = (featureDetectOverride: string) =>
      settingsOf({ featureDetectOverride }).settings.isChecksumOffloadBroken;
    expect(broken('SNATFullyRandom=false, ChecksumOffloadBroken=true')).toBe(true);
    expect(broken('ChecksumOffloadBroken=False')).toBe(false);
    expect(broken('SNATFullyRandom=false')).toBe(true);
  });

  it('asks the environment, then the node, then the default', () => {
    const port = (...layers: Parameters<typeof settingsOf>) => settingsOf(...layers).settings.vxlanPort;
    expect(port({ vxlanPort: 1 }, { vxlanPort: 2 }, { vxlanPort: '3' })).toBe(3);
    expect(port({ vxlanPort: 1 }, { vxlanPort: 2 })).toBe(2);
    expect(port({ vxlanPort: 1 }, { vxlanPort: null })).toBe(1);
  });

  it.each([
    ['vxlanPort', 65536],
    ['vxlanPort', '4789x'],
    ['vxlanPort', 0],
    ['vxlanVNI', '0'],
    ['vxlanMTU', 67],
    ['ipipMTU', 1],
    ['vxlanMTUV6', 1279],
    ['vxlanVNI', 2 ** 24],
    ['vxlanMTU', -1],
    ['mtuIfacePattern', '('],
    ['programClusterRoutes', 'Sometimes'],
    ['natPortRange', '9:1'],
    ['natOutgoingAddress', 'fd00::1'],
    ['vxlanEnabled', 'perhaps'],
    ['ipForwarding', {}],
    ['featureDetectOverride', 'ChecksumOffloadBroken'],
    ['prometheusMetricsPort', 'http'],
    ['prometheusMetricsHost', 'a b'],
    ['healthEnabled', 'perhaps'],
  ])('replaces %s=%j by the default, and says so', (name, value) => {
    const { settings, findings } = settingsOf({ [name]: value });
    expect(settings).toEqual(settingsOf({}).settings);
    expect(findings).toMatchObject([{ kind: 'invalid-setting', subject: name }]);
    expect(findings[0]?.message).toContain(name);
  });

  it('reads what people write', () => {
    expect(
      settingsOf({
        natPortRange: 4000,
        vxlanEnabled: 'true',
        ipForwarding: 'disabled',
        deviceRouteSourceAddress: '10.0.0.1',
      }).settings,
    ).toMatchObject({
      natPorts: { first: 4000, last: 4000 },
      isVxlanEnabled: true,
      forwardsIp: false,
      routeSource: { 4: parseIpAddress('10.0.0.1') },
    });
  });
});
