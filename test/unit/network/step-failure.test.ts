import { describe, expect, it } from 'vitest';
import { KernelError } from '../../../src/network/kernel-error.ts';
import { planPod } from '../../../src/network/plan-pod.ts';
import { planSwap } from '../../../src/network/plan-swap.ts';
import { stepFailure } from '../../../src/network/step-failure.ts';
import { podNetwork } from '../../support/pod-network.ts';

const network = podNetwork(['10.77.0.117', 'fd77::117']);
const plan = planPod(network);
const denied = new KernelError('RTM', 1, 'not yours');
const swapSteps = planSwap(network, 9).steps.filter((step) => step.do.endsWith('-link'));
const texts = [plan.pair, ...plan.steps, ...swapSteps].map((step) => stepFailure(step, denied, 7).message);

describe('stepFailure()', () => {
  it.each([
    'failed to create the veth pair eth0 and cali1',
    'error configuring sysctls in the sandbox, error: failed to set net.ipv4.ip_forward=0',
    'error configuring sysctls for interface: eth0, error: failed to set net.ipv6.conf.eth0.accept_dad=0',
    'error configuring sysctls for interface: cali1, error: failed to set net.ipv4.conf.cali1.forwarding=1',
    'failed to delete old hostVeth cali1',
    'failed to rename "new-cali1" to "cali1"',
    'failed to set "cali1" up',
    'failed to add IP addr fe80::ecee:eeff:feee:eeee/64 to "cali1"',
    'failed to set "eth0" up',
    'failed to add neighbour 169.254.1.1 (ee:ee:ee:ee:ee:ee) to "eth0"',
    'failed to add route inside the container: 169.254.1.1/32 dev eth0 scope link',
    'failed to add IPv4 route for 0.0.0.0/0 via 169.254.1.1 dev eth0',
    'failed to add IPv6 route for ::/0 via fe80::ecee:eeff:feee:eeee dev eth0',
    'failed to add IP addr 10.77.0.117/32 to "eth0"',
    'error adding host side routes for interface: cali1, error: failed to add route (Ifindex: 7, Dst: 10.77.0.117/32, Scope: link, Iface: cali1)',
  ])('says: %s', (attempt) => {
    expect(texts).toContain(`${attempt}: RTM: EPERM: operation not permitted; the kernel says: not yours`);
  });

  it('names the kind of the pair', () => {
    const { pair } = planPod(podNetwork(['10.77.0.117'], { deviceType: 'netkit' }));

    expect(stepFailure(pair, denied).message).toMatch(/^failed to create the netkit pair eth0 and cali1: /);
  });

  it.each([
    [1, 'run as root'],
    [17, 'something else has put this there'],
    [95, 'load the module'],
    [2, 'is missing'],
    [12, 'retry'],
  ])('advises what to do about errno %i', (errno, advice) => {
    const { kind, details } = stepFailure(plan.pair, new KernelError('RTM_NEWLINK', errno));

    expect(kind).toBe('network');
    expect(details).toMatch(/^step: pod# ip link add eth0 /);
    expect(details).toContain(advice);
  });
});
