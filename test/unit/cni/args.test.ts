import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argsWithIp, lenientArgs, parseArgs } from '../../../src/cni/args.ts';

describe('parseArgs()', () => {
  it('reads what containerd sends for a pod', () => {
    expect(
      parseArgs(
        'K8S_POD_UID=94b3f9b7-eaa2-4c2d-99bc-dc4c9746b5c3;IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1;K8S_POD_INFRA_CONTAINER_ID=ab362be4377b',
      ),
    ).toEqual({
      podUid: '94b3f9b7-eaa2-4c2d-99bc-dc4c9746b5c3',
      podNamespace: 'default',
      podName: 'web-1',
      podInfraContainerId: 'ab362be4377b',
    });
  });

  it.each([
    ['', {}],
    ['IP=10.0.0.7', { ip: { family: 4, value: 0x0a00_0007n } }],
    ['IP=::1', { ip: { family: 6, value: 1n } }],
    ['IP=::ffff:10.0.0.7', { ip: { family: 4, value: 0x0a00_0007n } }],
    ['IP=', {}],
    ['IP=10.0.0.7;IP=', {}],
    ['IP=10.0.0.7;IP=10.0.0.8', { ip: { family: 4, value: 0x0a00_0008n } }],
    ['CNI_TEST_NAMESPACE=ns1', { testNamespace: 'ns1' }],
    ['K8S_POD_NAME=a;K8S_POD_NAME=b', { podName: 'b' }],
    ['K8S_POD_NAME=', { podName: '' }],
    ['UNKNOWN=1', {}],
    ['k8s_pod_name=x', {}],
    ['=x', {}],
    ['IgnoreUnknown=TRUE;FOO=bar', {}],
    ['IgnoreUnknown=0;K8S_POD_NAME=web-1', { podName: 'web-1' }],
    ['IgnoreUnknown=0;FOO=bar;IgnoreUnknown=true', {}],
  ])('reads %j', (args, expected) => {
    expect(parseArgs(args)).toEqual(expected);
  });

  it.each([
    ['FOO', 'ARGS: invalid pair "FOO"'],
    ['A=b=c', 'ARGS: invalid pair "A=b=c"'],
    ['K8S_POD_NAME=a;', 'ARGS: invalid pair ""'],
    [';', 'ARGS: invalid pair ""'],
    ['K8S_POD_NAME=a;;IP=10.0.0.1', 'ARGS: invalid pair ""'],
    ['IP=10.0.0', 'ARGS: error parsing value of pair "IP=10.0.0": invalid IP address: 10.0.0'],
    ['IP=10.0.0.1/32', 'ARGS: error parsing value of pair "IP=10.0.0.1/32": invalid IP address: 10.0.0.1/32'],
    ['IP=010.0.0.1', 'ARGS: error parsing value of pair "IP=010.0.0.1": invalid IP address: 010.0.0.1'],
    [
      'IgnoreUnknown=Yes',
      'ARGS: error parsing value of pair "IgnoreUnknown=Yes": boolean unmarshal error: invalid input yes',
    ],
    [
      'IgnoreUnknown=',
      'ARGS: error parsing value of pair "IgnoreUnknown=": boolean unmarshal error: invalid input ',
    ],
    ['IgnoreUnknown=0;FOO=bar', 'ARGS: unknown args ["FOO=bar"]'],
    ['FOO=bar;k8s_pod_name=x;IgnoreUnknown=false', 'ARGS: unknown args ["FOO=bar" "k8s_pod_name=x"]'],
  ])('refuses %j', (args, message) => {
    expect(() => parseArgs(args)).toThrow(expect.objectContaining({ kind: 'environment', message }));
  });

  it('never fails but with an environment error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('I', 'P', 'A', '=', ';', '1', '.', ' ') }), (args) => {
        try {
          parseArgs(args);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'environment', message: expect.stringMatching(/^ARGS: /) });
        }
      }),
    );
  });
});

describe('lenientArgs()', () => {
  it('goes before what the runtime sent', () => {
    expect(lenientArgs('')).toBe('IgnoreUnknown=1');
    expect(lenientArgs('A=b')).toBe('IgnoreUnknown=1;A=b');
  });
});

describe('argsWithIp()', () => {
  const ip = { family: 6, value: 1n } as const;

  it.each([
    ['', 'IP=::1'],
    ['K8S_POD_NAME=a;IP=10.0.0.7', 'K8S_POD_NAME=a;IP=10.0.0.7;IP=::1'],
  ])('adds to %j', (args, expected) => {
    expect(argsWithIp(args, ip)).toBe(expected);
    expect(parseArgs(expected).ip).toEqual(ip);
  });
});
