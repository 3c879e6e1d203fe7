import { describe, expect, it } from 'vitest';
import { secret } from '../../../src/base/secret.ts';
import { kubeconfigText } from '../../../src/install/kubeconfig-text.ts';
import { parseKubeconfig } from '../../../src/kubernetes/kubeconfig.ts';

const SETTINGS = {
  protocol: 'https',
  host: '10.96.0.1',
  port: '443',
  skipsTlsVerify: false,
  serviceAccount: 'calico-cni-plugin',
};
const CA = '-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----\n';
const text = (changes: Partial<typeof SETTINGS> = {}, token = 'a.b.c') =>
  kubeconfigText({ ...SETTINGS, ...changes }, { token: secret(token), certificateAuthority: CA }).reveal();

describe('kubeconfigText()', () => {
  it('is what the client reads: server, CA and token', () => {
    const { cluster, user } = parseKubeconfig(text(), '/x', undefined);
    expect(cluster).toMatchObject({ server: 'https://10.96.0.1:443', insecureSkipTlsVerify: false });
    const ca = cluster.certificateAuthority;
    expect(ca !== undefined && 'text' in ca && ca.text.reveal()).toBe(CA);
    expect(user.tokens.map((token) => 'text' in token && token.text.reveal())).toEqual(['a.b.c']);
  });

  it("begins and is named as Calico's, which other programs look for", () => {
    expect(text()).toMatch(/^# Kubeconfig file for Calico CNI plugin\.\napiVersion: v1\nkind: Config\n/);
    expect(text()).toContain('current-context: calico-context\n');
  });

  it('puts brackets around an IPv6 address', () => {
    expect(text({ host: 'fd00::1' })).toContain('server: "https://[fd00::1]:443"');
  });

  it('has no CA where any server is trusted', () => {
    const { cluster } = parseKubeconfig(text({ skipsTlsVerify: true }), '/x', undefined);
    expect(cluster).toMatchObject({ insecureSkipTlsVerify: true, certificateAuthority: undefined });
  });

  it('is nothing but a value, whatever the token is', () => {
    const odd = 'a"\n    b: c';
    const { user } = parseKubeconfig(text({}, odd), '/x', undefined);
    expect(user.tokens.map((token) => 'text' in token && token.text.reveal())).toEqual([odd]);
  });

  it.each([
    ['host', /KUBERNETES_SERVICE_HOST is not set/],
    ['port', /KUBERNETES_SERVICE_PORT is not set/],
  ])('cannot be written without a %s', (name, message) => {
    expect(() => text({ [name]: '' })).toThrow(message);
  });
});
