import { describe, expect, it } from 'vitest';
import { formatIpNetwork, parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../src/base/mac-address.ts';
import { buildEndpoint, type EndpointInputs } from '../../../src/workload/build-endpoint.ts';
import { type EndpointSettings, NO_SETTINGS } from '../../../src/workload/endpoint-settings.ts';
import type { WorkloadEndpoint } from '../../../src/workload/workload-endpoint.ts';

const V4 = parseIpAddress('10.77.0.119');
const V6 = parseIpAddress('fd77::1');

const settings: EndpointSettings = {
  labels: { app: 'web', 'projectcalico.org/serviceaccount': 'websa' },
  generateName: 'web-',
  serviceAccountName: 'websa',
  ports: [{ name: 'http', protocol: 'TCP', port: 8080, hostPort: 0, hostIp: '' }],
  qosControls: { ingressBandwidth: 1000 },
  allowedSourcePrefixes: [parseCidr('8.8.8.8/32')],
  floatingIps: [],
};

const container: EndpointInputs = {
  ids: {
    orchestrator: 'cni',
    nodeName: 'node1',
    namespace: 'default',
    containerId: 'cid-1',
    ifName: 'eth0',
    podName: undefined,
  },
  addresses: [V4],
  profiles: ['net1'],
  hostIfName: 'calicid-1',
  mac: parseMacAddress('12:b9:63:b1:9e:67'),
  labels: {},
  settings: undefined,
  uid: 'u1',
  creationTimestamp: '2026-11-21T10:26:38Z',
};

const web: EndpointInputs = {
  ...container,
  ids: { ...container.ids, orchestrator: 'k8s', namespace: 'test', podName: 'web-1' },
  profiles: ['kns.test', 'ksa.test.websa'],
  hostIfName: 'cali9aa35139ea0',
  settings,
};

/** As an earlier ADD left it, and others have written to it since. */
function writtenBefore(inputs: EndpointInputs, changes: Partial<WorkloadEndpoint> = {}): WorkloadEndpoint {
  const before = buildEndpoint(
    { ...inputs, uid: 'u0', creationTimestamp: '2020-01-01T00:00:00Z' },
    undefined,
  );
  return {
    ...before,
    otherMetadata: { annotations: { note: 'mine' } },
    otherSpec: { ipv4Gateway: '10.0.0.1' },
    ...changes,
  };
}

describe('buildEndpoint() for a container', () => {
  it('names the endpoint and describes its interface', () => {
    expect(buildEndpoint(container, undefined)).toMatchObject({
      name: 'node1-cni-cid--1-eth0',
      namespace: 'default',
      uid: 'u1',
      labels: { 'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'cni' },
      profiles: ['net1'],
      ports: [],
      qosControls: {},
    });
  });

  it('adds to labels and profiles, and keeps what others have set', () => {
    const before = writtenBefore(container, {
      labels: { theirs: '1' },
      profiles: ['first'],
      ports: settings.ports,
      qosControls: { egressBurst: 1 },
      ipNats: undefined,
      otherSpec: { ipNATs: 'odd' },
    });
    const after = buildEndpoint({ ...container, labels: { ours: '2' } }, before);
    expect(after).toMatchObject({
      uid: 'u0',
      creationTimestamp: '2020-01-01T00:00:00Z',
      labels: { theirs: '1', ours: '2' },
      profiles: ['first', 'net1'],
      ports: settings.ports,
      qosControls: { egressBurst: 1 },
      otherSpec: { ipNATs: 'odd' },
    });
    expect(after.ipNats).toBeUndefined();
  });

  it('changes nothing the second time', () => {
    const once = buildEndpoint(container, undefined);
    expect(buildEndpoint({ ...container, uid: 'u2' }, once)).toEqual(once);
  });
});

describe('buildEndpoint() for a pod', () => {
  it('says what the pod says', () => {
    expect(buildEndpoint(web, undefined)).toMatchObject({
      name: 'node1-k8s-web--1-eth0',
      generateName: 'web-',
      serviceAccountName: 'websa',
      podName: 'web-1',
      labels: {
        app: 'web',
        'projectcalico.org/namespace': 'test',
        'projectcalico.org/orchestrator': 'k8s',
        'projectcalico.org/serviceaccount': 'websa',
      },
      profiles: ['kns.test', 'ksa.test.websa'],
      ports: settings.ports,
      allowedSourcePrefixes: settings.allowedSourcePrefixes,
      qosControls: settings.qosControls,
      ipNats: [],
    });
  });

  it('replaces what the pod said before, and keeps identity and what others have set', () => {
    const before = writtenBefore(web, {
      labels: { old: '1', 'projectcalico.org/namespace': 'test' },
      profiles: ['kns.test', 'ksa.test.old', 'theirs'],
      ipNats: [{ internalIp: V4, externalIp: parseIpAddress('1.1.1.1') }],
    });
    const after = buildEndpoint({ ...web, settings: NO_SETTINGS, profiles: ['kns.test'] }, before);
    expect(after).toEqual({
      ...before,
      labels: { 'projectcalico.org/namespace': 'test', 'projectcalico.org/orchestrator': 'k8s' },
      generateName: undefined,
      serviceAccountName: undefined,
      profiles: ['kns.test'],
      ports: [],
      ipNats: [],
      allowedSourcePrefixes: [],
      qosControls: {},
    });
  });

  it('replaces parts that are written in another form as well', () => {
    const before = writtenBefore(web, { ports: undefined, otherSpec: { ports: 'odd' } });
    expect(buildEndpoint(web, before).ports).toEqual(settings.ports);
  });

  it('forces the labels that tell whose it is', () => {
    const labels = { 'projectcalico.org/namespace': 'other', 'projectcalico.org/orchestrator': 'cni' };
    expect(buildEndpoint({ ...web, settings: { ...settings, labels } }, undefined).labels).toEqual({
      'projectcalico.org/namespace': 'test',
      'projectcalico.org/orchestrator': 'k8s',
    });
  });

  it('takes over the new sandbox, and keeps nothing of the floating IPs of the old one', () => {
    const floatingIps = [parseIpAddress('1.1.1.1')];
    const first = buildEndpoint({ ...web, settings: { ...settings, floatingIps } }, undefined);
    const addresses = [parseIpAddress('10.77.0.120')];
    const ids = { ...web.ids, containerId: 'cid-2' };
    const second = buildEndpoint({ ...web, ids, addresses, settings: { ...settings, floatingIps } }, first);
    expect(second.containerId).toBe('cid-2');
    expect(second.ipNetworks.map(formatIpNetwork)).toEqual(['10.77.0.120/32']);
    expect(second.ipNats).toEqual([{ internalIp: addresses[0], externalIp: floatingIps[0] }]);
  });

  it('leads each floating IP to the address of its own family', () => {
    const floatingIps = ['2001:db8::5', '1.1.1.1', '2.2.2.2'].map(parseIpAddress);
    const { ipNats } = buildEndpoint(
      { ...web, addresses: [V4, V6], settings: { ...settings, floatingIps } },
      undefined,
    );
    expect(ipNats).toEqual([
      { internalIp: V6, externalIp: floatingIps[0] },
      { internalIp: V4, externalIp: floatingIps[1] },
      { internalIp: V4, externalIp: floatingIps[2] },
    ]);
  });

  it('refuses a floating IP of a family that the pod has not', () => {
    const floatingIps = [parseIpAddress('2001:db8::5')];
    const build = () => buildEndpoint({ ...web, settings: { ...settings, floatingIps } }, undefined);
    expect(build).toThrow('floating IP 2001:db8::5 cannot lead to the pod: it has no IPv6 address');
    expect(build).toThrow(expect.objectContaining({ kind: 'config' }));
  });

  it('takes nothing from settings that is not of the endpoint', () => {
    const more = { ...settings, notes: ['a note'], ipv4Pools: ['pool'] };
    const keys = Object.keys(buildEndpoint({ ...web, settings: more }, undefined));
    expect(keys).not.toContain('notes');
    expect(keys).not.toContain('ipv4Pools');
  });
});
