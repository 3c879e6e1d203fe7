import { describe, expect, it } from 'vitest';
import { type EndpointPort, NO_SETTINGS } from '../../../src/workload/endpoint-settings.ts';
import type { WorkloadIdentifiers } from '../../../src/workload/identifiers.ts';
import { validateEndpoint, validateHostInterfaceName } from '../../../src/workload/validate-endpoint.ts';

const good: WorkloadIdentifiers = {
  orchestrator: 'cni',
  nodeName: 'node1.example.com',
  namespace: 'default',
  containerId: 'abc-1',
  ifName: 'eth0',
  podName: undefined,
};

describe('validateEndpoint()', () => {
  it('accepts what Calico accepts', () => {
    expect(() => validateEndpoint(good, ['k8s-pod-network'])).not.toThrow();
    expect(() => validateEndpoint({ ...good, containerId: 'f'.repeat(64) }, ['net.1'])).not.toThrow();
  });

  it.each([
    [{ containerId: 'Abc_1' }, 'net1', 'environment', /field ContainerID = 'Abc_1'/],
    [{ containerId: 'a.b' }, 'net1', 'environment', /field ContainerID = 'a\.b'/],
    [
      { containerId: 'Abc1' },
      'net1',
      'environment',
      /field Name = 'node1\.example\.com-cni-Abc1-eth0'.*holds the container ID/,
    ],
    [{ containerId: 'f'.repeat(240) }, 'net1', 'environment', /field Name = .* characters, at most 253/],
    [{ ifName: 'Eth0' }, 'net1', 'environment', /field Endpoint = 'Eth0'/],
    [{ ifName: 'eth_0' }, 'net1', 'environment', /field Endpoint = 'eth_0'/],
    [{ nodeName: 'Node1' }, 'net1', 'config', /field Node = 'Node1'/],
    [{ namespace: 'team_a' }, 'net1', 'config', /field Namespace = 'team_a'/],
    [{}, 'Net_1', 'config', /field Profiles\[0\] = 'Net_1'.*the network's name/],
  ])('refuses %o with profile %s', (changes, profile, kind, message) => {
    const validate = () => validateEndpoint({ ...good, ...changes }, [profile]);
    expect(validate).toThrow(message);
    expect(validate).toThrow(expect.objectContaining({ kind }));
  });
});

describe('validateEndpoint() of a pod', () => {
  const pod: WorkloadIdentifiers = { ...good, orchestrator: 'k8s', namespace: 'test', podName: 'web-1.a' };
  const port: EndpointPort = { name: 'http', protocol: 'TCP', port: 80, hostPort: 0, hostIp: '' };

  it('accepts what Calico accepts', () => {
    const ports = [
      port,
      { ...port, name: 'a', port: 65535 },
      { ...port, name: 'h-2-fifteen-ch', hostPort: 65535, hostIp: '::1' },
      { ...port, name: '', hostPort: 1, hostIp: '1.2.3.4' },
    ];
    const settings = { ...NO_SETTINGS, serviceAccountName: 'web.sa', ports };
    expect(() => validateEndpoint(pod, ['kns.test', 'ksa.test.web.sa'], settings)).not.toThrow();
    // The name of its endpoint does not hold the container ID.
    expect(() => validateEndpoint({ ...pod, containerId: 'Abc1' }, ['kns.test'])).not.toThrow();
  });

  it('accepts a profile that has a longer name than an object can have', () => {
    const serviceAccountName = 's'.repeat(253);
    const profiles = ['kns.test', `ksa.test.${serviceAccountName}`];
    expect(() => validateEndpoint(pod, profiles, { ...NO_SETTINGS, serviceAccountName })).not.toThrow();
    expect(() => validateEndpoint(good, ['n'.repeat(254)])).toThrow(/field Profiles\[0\]/);
  });

  it.each([
    [{ podName: 'Web_1' }, 'environment', /field Pod = 'Web_1' \(must be lower-case/],
    [{ podName: 'p'.repeat(254) }, 'environment', /field Pod = 'p{60}…' \(254 characters, at most 253\)/],
    [{ podName: 'a\nb' }, 'environment', /field Pod = 'a\\u\{a\}b'/],
    [{ namespace: 'Test' }, 'environment', /field Namespace = 'Test'/],
    [{ containerId: 'a_b' }, 'environment', /field ContainerID = 'a_b'/],
    [{ podName: '-'.repeat(1) }, 'environment', /field Pod = '-'/],
    [
      { podName: `a${'-'.repeat(120)}b` },
      'environment',
      /field Name = 'node1\.example\.com-k8s-a-+…' \(\d+ characters, at most 253\)/,
    ],
  ])('refuses %o', (changes, kind, message) => {
    const validate = () => validateEndpoint({ ...pod, ...changes }, ['kns.test']);
    expect(validate).toThrow(message);
    expect(validate).toThrow(expect.objectContaining({ kind }));
  });

  it.each([
    [{ serviceAccountName: 'Web' }, /field ServiceAccountName = 'Web'/],
    [{ ports: [{ ...port, name: 'HTTP' }] }, /field Ports\[0\]\.Name = 'HTTP'/],
    [{ ports: [{ ...port, name: '80' }] }, /field Ports\[0\]\.Name = '80' .*at least one/],
    [{ ports: [{ ...port, name: 'a--b' }] }, /field Ports\[0\]\.Name = 'a--b'/],
    [{ ports: [{ ...port, name: '-a' }] }, /field Ports\[0\]\.Name = '-a'/],
    [{ ports: [port, { ...port, name: 'sixteen-characte' }] }, /field Ports\[1\]\.Name = .*at most 15/],
    [
      { ports: [{ ...port, name: '' }] },
      /field Ports\[0\]\.Name = '' \(name must not be empty if no HostPort/,
    ],
    [{ ports: [{ ...port, port: 0 }] }, /field Ports\[0\]\.Port = '0'/],
    [{ ports: [{ ...port, port: 65536 }] }, /field Ports\[0\]\.Port = '65536' \(must be 1 to 65535\)/],
    [{ ports: [{ ...port, hostPort: -1 }] }, /field Ports\[0\]\.HostPort = '-1'/],
    [{ ports: [{ ...port, hostIp: 'localhost' }] }, /field Ports\[0\]\.HostIP = 'localhost'/],
    [{ ports: [{ ...port, hostIp: '1.2.3.4/32' }] }, /field Ports\[0\]\.HostIP/],
  ])('refuses settings %o', (changes, message) => {
    const validate = () => validateEndpoint(pod, ['kns.test'], { ...NO_SETTINGS, ...changes });
    expect(validate).toThrow(message);
    expect(validate).toThrow(expect.objectContaining({ kind: 'config' }));
  });
});

describe('validateHostInterfaceName()', () => {
  it.each(['cali9aa35139ea0', 'eni9aa35139ea0'])('accepts %s', (name) => {
    expect(() => validateHostInterfaceName(name)).not.toThrow();
  });

  it.each(['calix9aa35139ea0', '', 'ca/i', 'ca i'])(
    'refuses %j, and tells where the prefix comes from',
    (name) => {
      expect(() => validateHostInterfaceName(name)).toThrow(`error with field InterfaceName = '${name}'`);
    },
  );
});
