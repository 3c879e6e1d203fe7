import { describe, expect, it } from 'vitest';
import { containerOf, isPlugin } from '../../../../src/node/garbage/running-calls.ts';

describe('isPlugin()', () => {
  it.each([
    ['/opt/cni/bin/calico\0', true],
    ['/opt/cni/bin/calico-ipam\0', true],
    ['calico', true],
    ['/opt/cni/bin/calico\0node\0', false],
    ['/opt/cni/bin/bridge\0', false],
    ['', false],
  ])('%j: %s', (commandLine, expected) => {
    expect(isPlugin(commandLine.split('\0'))).toBe(expected);
  });
});

describe('containerOf()', () => {
  it('finds the container among other variables', () => {
    expect(containerOf('PATH=/bin\0CNI_CONTAINERID=c1\0CNI_IFNAME=eth0\0')).toBe('c1');
    expect(containerOf('PATH=/bin\0XCNI_CONTAINERID=c1\0')).toBeUndefined();
    expect(containerOf('')).toBeUndefined();
  });
});
