import { describe, expect, it } from 'vitest';
import type { WorkloadIdentifiers } from '../../../src/workload/identifiers.ts';
import { validateEndpoint } from '../../../src/workload/validate-endpoint.ts';

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
