import { describe, expect, it } from 'vitest';
import { requireAllowed } from '../../../src/kubernetes/pod-permissions.ts';
import { podSettings } from '../../../src/kubernetes/pod-settings.ts';
import { annotatedPod, namespace } from '../../support/pods.ts';

const everything = { ipamType: 'calico-ipam', features: { ipAddrsNoIpam: true, floatingIps: true } };
const nothing = { ipamType: 'host-local', features: { ipAddrsNoIpam: false, floatingIps: false } };

const asking = [
  { ipAddrs: '["10.0.0.1"]' },
  { ipAddrsNoIpam: '["10.0.0.1"]' },
  { floatingIPs: '["1.1.1.1"]' },
];

function settingsOf(annotations: Readonly<Record<string, string>>) {
  return podSettings(annotatedPod(annotations), namespace());
}

describe('requireAllowed()', () => {
  it.each(asking)('lets %o pass where everything is enabled', (annotations) => {
    expect(() => requireAllowed(settingsOf(annotations), everything)).not.toThrow();
  });

  it('lets a pod pass that asks for nothing', () => {
    expect(() => requireAllowed(settingsOf({ hwAddr: '02:00:00:00:00:01' }), nothing)).not.toThrow();
  });

  it.each([
    [
      { ipAddrs: '["10.0.0.1"]' },
      'ipAddrs is not compatible with configured IPAM: host-local (annotation cni.projectcalico.org/ipAddrs of pod test/web-1)',
    ],
    [{ ipAddrsNoIpam: '["10.0.0.1"]' }, 'ipAddrsNoIpam is not compatible with configured IPAM: host-local'],
    [
      { floatingIPs: '["1.1.1.1"]' },
      'requested feature is not enabled: floating_ips (annotation cni.projectcalico.org/floatingIPs of pod test/web-1)',
    ],
  ])('refuses %o where nothing is', (annotations, message) => {
    expect(() => requireAllowed(settingsOf(annotations), nothing)).toThrow(message);
  });

  it('needs the feature for addresses without IPAM, and tells how to enable it', () => {
    const features = { ...everything.features, ipAddrsNoIpam: false };
    const ask = (annotations: Readonly<Record<string, string>>) => () =>
      requireAllowed(settingsOf(annotations), { ...everything, features });
    expect(ask({ ipAddrsNoIpam: '["10.0.0.1"]' })).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: expect.stringContaining('requested feature is not enabled: ip_addrs_no_ipam (annotation'),
        details: expect.stringContaining('feature_control.ip_addrs_no_ipam'),
      }),
    );
    expect(ask({ ipAddrs: '["10.0.0.1"]' })).not.toThrow();
  });
});
