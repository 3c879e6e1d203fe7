import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { podSettings } from '../../../src/kubernetes/pod-settings.ts';
import { annotatedPod, namespace, pod } from '../../support/pods.ts';

function settingsOf(annotations: Readonly<Record<string, string>>) {
  return podSettings(annotatedPod(annotations), namespace());
}

describe('podSettings()', () => {
  it('asks for nothing where the pod says nothing', () => {
    expect(podSettings(pod(), namespace())).toEqual({
      pod: 'test/web-1',
      labels: {},
      generateName: undefined,
      serviceAccountName: undefined,
      profiles: ['kns.test'],
      ports: [],
      qosControls: {},
      allowedSourcePrefixes: [],
      floatingIps: [],
      mac: undefined,
      ipv4Pools: undefined,
      ipv6Pools: undefined,
      families: undefined,
      addresses: { from: 'automatic' },
      notes: [],
    });
  });

  it('takes identity, labels and profiles from the pod and its service account', () => {
    const web = pod({ generateName: 'web-', serviceAccountName: 'websa', labels: { app: 'web' } });
    expect(podSettings(web, namespace())).toMatchObject({
      generateName: 'web-',
      serviceAccountName: 'websa',
      labels: { app: 'web', 'projectcalico.org/serviceaccount': 'websa' },
      profiles: ['kns.test', 'ksa.test.websa'],
    });
  });

  it.each([
    [62, true],
    [63, false],
    [64, false],
  ])('labels the service account only if its name fits: %i characters', (length, isLabelled) => {
    const serviceAccountName = 's'.repeat(length);
    const { labels, profiles } = podSettings(pod({ serviceAccountName }), namespace());
    expect('projectcalico.org/serviceaccount' in labels).toBe(isLabelled);
    expect(profiles).toContain(`ksa.test.${serviceAccountName}`);
  });

  it('treats empty names as none', () => {
    const { generateName, serviceAccountName, profiles, labels } = podSettings(
      pod({ generateName: '', serviceAccountName: '' }),
      namespace(),
    );
    expect({ generateName, serviceAccountName, profiles, labels }).toEqual({
      generateName: undefined,
      serviceAccountName: undefined,
      profiles: ['kns.test'],
      labels: {},
    });
  });

  it('collects the notes of ports and limits', () => {
    const noisy = pod({
      ports: [{ name: 'x', containerPort: 1, hostPort: 0, hostIp: '', protocol: 'ICMP' }],
      annotations: { 'kubernetes.io/ingress-bandwidth': 'lots' },
    });
    expect(podSettings(noisy, namespace()).notes).toEqual([
      "port 1 'x' is left out of the endpoint: protocol 'ICMP' is none of TCP, UDP and SCTP",
      expect.stringContaining('error parsing ingress bandwidth annotation'),
    ]);
  });
});

describe('ports', () => {
  const base = { name: '', containerPort: 80, hostPort: 0, hostIp: '', protocol: 'TCP' };

  it.each([
    [{ name: 'http' }, { name: 'http', protocol: 'TCP', port: 80, hostPort: 0, hostIp: '' }],
    [
      { name: 'dns', protocol: 'UDP' },
      { name: 'dns', protocol: 'UDP', port: 80, hostPort: 0, hostIp: '' },
    ],
    [
      { name: 'sip', protocol: 'SCTP' },
      { name: 'sip', protocol: 'SCTP', port: 80, hostPort: 0, hostIp: '' },
    ],
    [
      { name: 'http', protocol: '' },
      { name: 'http', protocol: 'TCP', port: 80, hostPort: 0, hostIp: '' },
    ],
    [
      { hostPort: 8080, hostIp: '1.2.3.4' },
      { name: '', protocol: 'TCP', port: 80, hostPort: 8080, hostIp: '1.2.3.4' },
    ],
    [{}, undefined],
    [{ name: 'http', containerPort: 0 }, undefined],
    [{ hostPort: 8080, containerPort: 0 }, undefined],
    [{ name: 'http', protocol: 'tcp' }, undefined],
  ])('of %o', (changes, port) => {
    const { ports } = podSettings(pod({ ports: [{ ...base, ...changes }] }), namespace());
    expect(ports).toEqual(port === undefined ? [] : [port]);
  });
});

describe('hwAddr', () => {
  it.each([
    ['aa:bb:cc:dd:ee:ff', 'aa:bb:cc:dd:ee:ff'],
    ['AA:BB:CC:DD:EE:FF', 'aa:bb:cc:dd:ee:ff'],
    ['02-00-5E-10-00-01', '02:00:5e:10:00:01'],
    ['0200.5e10.0001', '02:00:5e:10:00:01'],
  ])('reads %s', (text, mac) => {
    expect(settingsOf({ hwAddr: text }).mac).toBe(mac);
  });

  it.each([
    ['', 'invalid MAC address'],
    ['x', 'invalid MAC address'],
    ['aa:bb:cc:dd:ee', 'invalid MAC address'],
    ['aa:bb-cc:dd:ee:ff', 'invalid MAC address'],
    ['aabbccddeeff', 'invalid MAC address'],
    ['02:00:5e:10:00:00:00:01', 'it has 8 octets, the address of an Ethernet interface has 6'],
    ['0200.5e10.0000.0001', 'it has 8 octets'],
    [Array.from({ length: 20 }, () => '00').join('-'), 'it has 20 octets'],
    ['01:00:5e:00:00:01', 'its first octet must be even'],
    ['ff:ff:ff:ff:ff:ff', 'its first octet must be even'],
    ['00:00:00:00:00:00', 'no interface can have it'],
  ])('refuses %j', (text, why) => {
    const words = `failed to parse MAC address ${text} provided via cni.projectcalico.org/hwAddr: `;
    expect(() => settingsOf({ hwAddr: text })).toThrow(words);
    expect(() => settingsOf({ hwAddr: text })).toThrow(why);
    expect(() => settingsOf({ hwAddr: text })).toThrow('(pod test/web-1)');
  });
});

describe('ipAddrs and ipAddrsNoIpam', () => {
  it.each(['ipAddrs', 'ipAddrsNoIpam'])('%s names at most one address per family', (name) => {
    const { addresses } = settingsOf({ [name]: '["10.0.0.1", "FD00::1"]' });
    expect(addresses).toEqual({
      from: name,
      addresses: [
        { family: 4, value: 0x0a000001n },
        { family: 6, value: (0xfd00n << 112n) + 1n },
      ],
    });
  });

  it.each(['ipAddrs', 'ipAddrsNoIpam'])('%s counts as absent when it is empty', (name) => {
    expect(settingsOf({ [name]: '' }).addresses).toEqual({ from: 'automatic' });
  });

  it.each([
    ['[]', 'annotation "cni.projectcalico.org/ipAddrs" specified but empty (pod test/web-1)'],
    ['null', 'annotation "cni.projectcalico.org/ipAddrs" specified but empty'],
    ['["x"]', 'invalid IP format: x (annotation cni.projectcalico.org/ipAddrs of pod test/web-1)'],
    ['["10.0.0.1/32"]', 'invalid IP format: 10.0.0.1/32'],
    ['["010.0.0.1"]', 'invalid IP format: 010.0.0.1'],
    ['["fe80::1%eth0"]', 'invalid IP format: fe80::1%eth0'],
    [
      '["10.0.0.1","10.0.0.2"]',
      'cannot have more than one IPv4 address for "cni.projectcalico.org/ipAddrs" annotation',
    ],
    [
      '["fd00::1","10.0.0.1","fd00::2"]',
      'cannot have more than one IPv6 address for "cni.projectcalico.org/ipAddrs" annotation',
    ],
    ['10.0.0.1', "failed to parse '10.0.0.1' as JSON: "],
    ['"10.0.0.1"', `failed to parse '"10.0.0.1"' as JSON: it must be a list of texts`],
    ['[1]', "failed to parse '[1]' as JSON: it must be a list of texts"],
    ['[null]', 'found null in it'],
    ['{}', 'found an object'],
  ])('refuses %s', (value, message) => {
    expect(() => settingsOf({ ipAddrs: value })).toThrow(message);
    expect(() => settingsOf({ ipAddrsNoIpam: value })).toThrow(message.replace('ipAddrs', 'ipAddrsNoIpam'));
  });

  it('cannot both be used', () => {
    expect(() => settingsOf({ ipAddrs: '["10.0.0.1"]', ipAddrsNoIpam: '["10.0.0.1"]' })).toThrow(
      "can't have both annotations: 'ipAddrs' and 'ipAddrsNoIpam' in use at the same time",
    );
  });

  it('are the pod’s alone', () => {
    expect(podSettings(pod(), namespace({ ipAddrs: '["10.0.0.1"]' })).addresses.from).toBe('automatic');
  });
});

describe('floatingIPs', () => {
  it.each([
    ['', []],
    ['[]', []],
    ['["1.1.1.1","2001:DB8::5"]', ['1.1.1.1', '2001:db8::5']],
  ])('reads %j', (value, texts) => {
    expect(settingsOf({ floatingIPs: value }).floatingIps.map(formatIpAddress)).toEqual(texts);
  });

  it.each([
    [
      '["1.1.1"]',
      'invalid IP format: 1.1.1 (annotation cni.projectcalico.org/floatingIPs of pod test/web-1)',
    ],
    ['1.1.1.1', "failed to parse '1.1.1.1' as JSON: "],
  ])('refuses %s', (value, message) => {
    expect(() => settingsOf({ floatingIPs: value })).toThrow(message);
  });
});

describe('allowedSourcePrefixes', () => {
  it.each([
    ['', []],
    ['["8.8.8.8/32","1.1.1.7/24"]', ['8.8.8.8/32', '1.1.1.0/24']],
    ['["2001:DB8::1/32"]', ['2001:db8::/32']],
  ])('reads %j, masked', (value, texts) => {
    expect(settingsOf({ allowedSourcePrefixes: value }).allowedSourcePrefixes.map(formatCidr)).toEqual(texts);
  });

  it.each([
    ['["8.8.8.8"]', "failed to parse '8.8.8.8' as a CIDR: "],
    ['["8.8.8.8/33"]', "failed to parse '8.8.8.8/33' as a CIDR: "],
    ['["8.8.8.8/32", ""]', "failed to parse '' as a CIDR: "],
    ['8.8.8.8/32', "failed to parse '8.8.8.8/32' as JSON: "],
  ])('refuses %s', (value, message) => {
    expect(() => settingsOf({ allowedSourcePrefixes: value })).toThrow(message);
    expect(() => settingsOf({ allowedSourcePrefixes: value })).toThrow(
      '(annotation cni.projectcalico.org/allowedSourcePrefixes of pod test/web-1)',
    );
  });
});

describe('pools', () => {
  it.each([
    [{ ipv4pools: '["pool-1"]' }, {}, ['pool-1']],
    [{ ipv4pools: '["pool-1"]' }, { ipv4pools: '["pool-2"]' }, ['pool-2']],
    [{ ipv4pools: '["pool-1"]' }, { ipv4pools: '' }, ['pool-1']],
    [{}, { ipv4pools: '["10.0.0.0/16","my.pool"]' }, ['10.0.0.0/16', 'my.pool']],
    [{}, { ipv4pools: '[]' }, []],
    [{ ipv4pools: 'not read' }, { ipv4pools: '["pool-2"]' }, ['pool-2']],
  ])('namespace %o, pod %o', (ofNamespace, ofPod, pools) => {
    const settings = podSettings(annotatedPod(ofPod), namespace(ofNamespace));
    expect(settings.ipv4Pools).toEqual(pools);
    expect(settings.ipv6Pools).toBeUndefined();
  });

  it('are told apart by family', () => {
    const settings = settingsOf({ ipv6pools: '["fd00::/48","six"]' });
    expect([settings.ipv4Pools, settings.ipv6Pools]).toEqual([undefined, ['fd00::/48', 'six']]);
  });

  it.each([
    [
      { ipv4pools: '["fd00::/48"]' },
      `error parsing pool "fd00::/48": "fd00::/48" isn't a IPv4 address (annotation cni.projectcalico.org/ipv4pools of namespace test)`,
    ],
    [
      { ipv6pools: '["10.0.0.0/16"]' },
      `error parsing pool "10.0.0.0/16": "10.0.0.0/16" isn't a IPv6 address`,
    ],
    [{ ipv4pools: '["Pool_1"]' }, 'error parsing pool "Pool_1": it is neither a CIDR nor the name of a pool'],
    [{ ipv4pools: '[""]' }, 'error parsing pool "": it is neither'],
    [{ ipv4pools: 'pool-1' }, "failed to parse 'pool-1' as JSON: "],
    [{ ipv4pools: '"pool-1"' }, 'it must be a list of texts'],
  ])('of the namespace are refused: %o', (annotations, message) => {
    expect(() => podSettings(pod(), namespace(annotations))).toThrow(message);
  });
});

describe('ipFamilies', () => {
  it.each([
    [{}, { ipFamilies: '["IPv6"]' }, [6]],
    [{ ipFamilies: '["IPv4"]' }, {}, [4]],
    [{ ipFamilies: '["IPv4"]' }, { ipFamilies: '["IPv6","IPv4","IPv6"]' }, [4, 6]],
    [{}, {}, undefined],
  ])('namespace %o, pod %o', (ofNamespace, ofPod, families) => {
    expect(podSettings(annotatedPod(ofPod), namespace(ofNamespace)).families).toEqual(families);
  });

  it.each([
    [
      '["IPv5"]',
      `error parsing ipFamilies: ["IPv5"]: 'IPv5' is neither IPv4 nor IPv6 (annotation cni.projectcalico.org/ipFamilies of pod test/web-1)`,
    ],
    ['["ipv4"]', 'error parsing ipFamilies: ["ipv4"]'],
    ['[]', 'error parsing ipFamilies: []: it is empty'],
    ['IPv4', "failed to parse 'IPv4' as JSON: "],
  ])('refuses %s', (value, message) => {
    expect(() => settingsOf({ ipFamilies: value })).toThrow(message);
  });
});
