import { describe, expect, it } from 'vitest';
import { hostNetwork } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { isReportOn, type ReportedEndpoint, statusFileName } from '../../../src/readiness/policy-status.ts';

const ENDPOINT: ReportedEndpoint = {
  orchestrator: 'k8s',
  namespace: 'test',
  podName: 'web-1',
  endpoint: 'eth0',
  mac: 'da:2d:55:12:5a:a8',
  ipNetworks: ['10.77.0.119', 'fd77::304:6d0b:fc5f:a9a7'].map((text) => hostNetwork(parseIpAddress(text))),
};

const REPORT = {
  ifaceName: 'cali9aa35139ea0',
  mac: 'da:2d:55:12:5a:a8',
  ipv4Nets: ['10.77.0.119/32'],
  ipv6Nets: ['fd77::304:6d0b:fc5f:a9a7/128'],
};

describe('statusFileName()', () => {
  it.each([
    [{}, 'k8s test%2Fweb-1 eth0'],
    [{ namespace: 'default', podName: 'testpod1' }, 'k8s default%2Ftestpod1 eth0'],
    [{ podName: 'web.1', endpoint: 'net1' }, 'k8s test%2Fweb.1 net1'],
  ])('with %j is %s', (changes, name) => {
    expect(statusFileName({ ...ENDPOINT, ...changes })).toBe(name);
  });
});

describe('isReportOn()', () => {
  it.each<[string, object]>([
    ['all the same', REPORT],
    ['a MAC in upper case', { ...REPORT, mac: REPORT.mac.toUpperCase() }],
    ['another host interface, since names do not tell sandboxes apart', { ...REPORT, ifaceName: 'calix' }],
    ['more addresses', { ...REPORT, ipv4Nets: ['10.77.0.119/32', '10.77.0.120/32'] }],
    ['no addresses', { mac: REPORT.mac }],
    ['no MAC', { ...REPORT, mac: undefined }],
    ['nothing', {}],
    ['what is not known yet', { ...REPORT, bgpPeerName: 'global-peer' }],
  ])('is true with %s', (_, report) => {
    expect(isReportOn(JSON.stringify(report), ENDPOINT)).toBe(true);
  });

  it.each<[string, object]>([
    ['another MAC', { ...REPORT, mac: '02:00:00:00:00:01' }],
    ['another IPv4 address', { ...REPORT, ipv4Nets: ['10.77.0.118/32'] }],
    ['another IPv6 address', { ...REPORT, ipv6Nets: ['fd77::1/128'] }],
    ['an address less', { ...REPORT, ipv6Nets: undefined }],
  ])('is false with %s: that is an earlier sandbox', (_, report) => {
    expect(isReportOn(JSON.stringify(report), ENDPOINT)).toBe(false);
  });

  it.each(['', '\n'])('is true for %j, which is what older releases of Felix write', (text) => {
    expect(isReportOn(text, ENDPOINT)).toBe(true);
  });

  it.each(['{"ifaceName":"cali', '[]', 'null', 'up'])('is false for %j', (text) => {
    expect(isReportOn(text, ENDPOINT)).toBe(false);
  });
});
