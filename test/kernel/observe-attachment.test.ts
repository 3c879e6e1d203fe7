import { beforeEach, describe, expect, it } from 'vitest';
import { formatMismatch } from '../../src/base/mismatch.ts';
import { applyPlan } from '../../src/network/apply-plan.ts';
import { podDifferences } from '../../src/network/check-pod.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { observeAttachment } from '../../src/network/observe-attachment.ts';
import { planPod } from '../../src/network/plan-pod.ts';
import { makeLab, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

const NOT_TUNED = { formerMac: undefined, formerMtu: undefined };
const plan = planPod(podNetwork(['10.77.0.117', 'fd77::117']));

/** A lab with a wired pod. */
function makeWiredLab(options = {}) {
  const stack = new DisposableStack();
  const lab = stack.use(makeLab(options));
  const kernel = stack.use(openKernel(lab.pod.path));
  applyPlan(kernel, plan);
  return { ...lab, kernel, [Symbol.dispose]: () => stack.dispose() };
}

describe('observeAttachment()', () => {
  it('sees of a pod just wired what its plan says', () => {
    using lab = makeWiredLab();
    const observed = observeAttachment(lab.kernel, plan);
    expect(podDifferences(plan, observed, NOT_TUNED).map(formatMismatch)).toEqual([]);
    const switches = plan.steps.filter((step) => step.do === 'write-sysctl');
    expect(observed.sysctls.size).toBe(switches.length);
  });

  it('sees nothing where nothing is', () => {
    using lab = makeLab();
    using kernel = openKernel(lab.pod.path);
    const observed = observeAttachment(kernel, plan);
    expect(observed).toMatchObject({ container: undefined, host: undefined, hostRoutes: [] });
    expect([...observed.sysctls.keys()].filter((name) => /eth0|cali1/.test(name))).toEqual([]);
  });

  it('reads the switches of each namespace in that namespace, and leaves the thread where it was', () => {
    using lab = makeWiredLab();
    lab.pod.sh('echo 1 > /proc/sys/net/ipv4/ip_forward');
    lab.host.sh('echo 0 > /proc/sys/net/ipv4/ip_forward');
    const { sysctls } = observeAttachment(lab.kernel, plan);
    expect(sysctls.get('pod net/ipv4/ip_forward')).toBe('1');
    expect(sysctls.get('host net/ipv4/conf/cali1/forwarding')).toBe('0');
    expect(observeAttachment(lab.kernel, plan).sysctls).toEqual(sysctls);
  });

  it.each([
    [true, 'a default route', 3],
    [false, 'no default route', undefined],
  ])('looks how the host would reach the gateway of a pod: %2$s', (hasDefaultRoute, _what, ifIndex) => {
    using lab = makeWiredLab({ hasDefaultRoute });
    expect(observeAttachment(lab.kernel, plan).gatewayRoute?.ifIndex).toBe(ifIndex);
  });

  it('finds a host route that a rule hides from the lookup', () => {
    using lab = makeWiredLab();
    lab.host.sh('ip route add default dev uplink table 77; ip rule add to 10.77.0.117 lookup 77');
    const { hostRoutes, host } = observeAttachment(lab.kernel, plan);
    expect(hostRoutes.map(({ ifIndex }) => ifIndex)).toEqual([host?.link.ifIndex, host?.link.ifIndex]);
  });
});
