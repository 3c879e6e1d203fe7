import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import { KernelError } from '../../../../src/network/kernel-error.ts';
import { hostStepFailure, isDoneAlready } from '../../../../src/node/kernel/host-step-failure.ts';
import type { HostStep } from '../../../../src/node/reconcile/host-step.ts';

const { EPERM, ENODEV, EEXIST, EOPNOTSUPP, ENOENT } = constants.errno;
const CREATE: HostStep = {
  do: 'create-vxlan',
  device: {
    ...{ name: 'vxlan.calico', vni: 4096, port: 4789, mtu: 1450 },
    mac: parseMacAddress('66:f9:37:c3:7e:94'),
    local: parseIpAddress('10.50.0.11'),
    parent: { name: 'eth0', ifIndex: 2 },
    address: { address: parseIpAddress('10.77.180.112'), prefixLength: 32 },
    isOffloadBroken: false,
  },
};
const IPIP: HostStep = { do: 'create-ipip', device: 'tunl0' };
const DELETE: HostStep = { do: 'delete-link', device: 'vxlan.calico', ifIndex: 7 };

describe('hostStepFailure()', () => {
  it.each([
    [CREATE, EEXIST, 'another VXLAN device of this host has the same VNI and port'],
    [CREATE, EOPNOTSUPP, 'the kernel has no VXLAN'],
    [CREATE, EPERM, 'CAP_NET_ADMIN'],
    [IPIP, EOPNOTSUPP, 'the kernel has no IPIP: install and load the module ipip'],
    [DELETE, ENOENT, 'it is tried again'],
  ])('says of %o with errno %i what to do', (step, errno, advice) => {
    const { error } = hostStepFailure(step, new KernelError('RTM_NEWLINK', errno));

    expect(error.kind).toBe('network');
    expect(error.message).toMatch(/^failed: (ip link|modprobe) .*: RTM_NEWLINK: E/);
    expect(error.details).toContain(advice);
  });
});

describe('isDoneAlready()', () => {
  it('takes what is gone for deleted, and the device that the module makes for made', () => {
    expect(isDoneAlready(DELETE, new KernelError('RTM_DELLINK', ENODEV))).toBe(true);
    expect(isDoneAlready(IPIP, new KernelError('RTM_NEWLINK', EEXIST))).toBe(true);
    expect(isDoneAlready(CREATE, new KernelError('RTM_NEWLINK', EEXIST))).toBe(false);
    expect(isDoneAlready(DELETE, new Error('something else'))).toBe(false);
  });
});
