import { beforeEach, describe, expect, it } from 'vitest';
import type { CalicoError } from '../../src/base/calico-error.ts';
import { parseCidr } from '../../src/base/cidr.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { type AppliedPod, type ApplyOptions, applyPlan } from '../../src/network/apply-plan.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { type PodPlan, planPod, type Step } from '../../src/network/plan-pod.ts';
import { type Lab, makeLab, makeNetns, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

function apply(pod: TestNetns, plan: PodPlan, options?: ApplyOptions): AppliedPod {
  using kernel = openKernel(pod.path);
  return applyPlan(kernel, plan, options);
}

function failure(run: () => unknown): CalicoError {
  try {
    run();
  } catch (error) {
    return error as CalicoError;
  }
  throw new Error('it did not fail');
}

/** The names of the interfaces, and the routes of the main tables. */
function state(netns: TestNetns): string {
  return netns.sh('ip -o link | cut -d: -f2,3; ip route; ip -6 route');
}

const dualStack = planPod(podNetwork(['10.77.0.117', 'fd77::117']));

describe('applyPlan() when the host has a route to the address', () => {
  it.each([
    [
      'IPv4',
      'ip route add 10.77.0.117/32 dev uplink scope link',
      `error adding host side routes for interface: cali1, error: route (Ifindex: 4, Dst: 10.77.0.117/32, Scope: link) already exists for an interface other than 'cali1': route (Ifindex: 3, Dst: 10.77.0.117/32, Scope: link, Iface: uplink)`,
    ],
    [
      'IPv6',
      'ip -6 route add fd77::117/128 dev uplink',
      `error adding host side routes for interface: cali1, error: route (Ifindex: 4, Dst: fd77::117/128, Scope: link) already exists for an interface other than 'cali1': route (Ifindex: 3, Dst: fd77::117/128, Scope: universe, Iface: uplink)`,
    ],
    [
      'an IPv4 blackhole',
      'ip route add blackhole 10.77.0.117/32',
      `error adding host side routes for interface: cali1, error: route (Ifindex: 4, Dst: 10.77.0.117/32, Scope: link) already exists for an interface other than 'cali1': route (Ifindex: 0, Dst: 10.77.0.117/32, Scope: universe)`,
    ],
  ])('(%s) names both interfaces and leaves nothing behind', (_, conflict, message) => {
    using lab = makeLab();
    lab.host.sh(conflict);
    const before = [state(lab.host), state(lab.pod)];

    const error = failure(() => apply(lab.pod, dualStack));

    expect(error).toMatchObject({ kind: 'network', message });
    expect([state(lab.host), state(lab.pod)]).toEqual(before);
  });

  it('takes the place of a route of the node agent, which leads to where the address was before', () => {
    using lab = makeLab();
    lab.host.sh('ip link set uplink up; ip route add 10.77.0.117/32 dev uplink proto 202');
    lab.host.sh('ip -6 route add fd77::117/128 dev uplink proto 202');

    apply(lab.pod, dualStack);

    expect(lab.host.sh('ip route show 10.77.0.117')).toBe('10.77.0.117 dev cali1 scope link');
    expect(lab.host.sh('ip -6 route show fd77::117')).toMatch(/^fd77::117 dev cali1 [^\n]*$/);
  });

  it('goes on with the next address when it is a route of this very interface', () => {
    using lab = makeLab();
    const hostRoutes = dualStack.steps.filter((step) => step.do === 'add-route' && step.where === 'host');

    apply(lab.pod, { ...dualStack, steps: [...dualStack.steps.slice(0, -1), ...hostRoutes, ...hostRoutes] });

    expect(lab.host.sh('ip route show dev cali1')).toContain('10.77.0.117');
    expect(lab.host.sh('ip -6 route show dev cali1')).toContain('fd77::117');
  });
});

describe('applyPlan() when the kernel refuses a step', () => {
  const badRoute: Step = {
    do: 'add-route',
    where: 'pod',
    ifName: 'eth0',
    destination: parseCidr('10.9.0.0/16'),
    gateway: parseIpAddress('172.16.0.1'),
    scope: 'global',
  };
  const badSysctl: Step = {
    do: 'write-sysctl',
    where: 'host',
    ifName: 'cali1',
    key: 'net/ipv4/conf/cali1/nonsense',
    value: '1',
    onFailure: 'fail',
  };

  it.each([
    [
      'a route',
      badRoute,
      /^failed to add IPv4 route for 10\.9\.0\.0\/16 via 172\.16\.0\.1 dev eth0: RTM_NEWROUTE: ENETUNREACH: .*Nexthop has invalid gateway/,
    ],
    [
      'a switch',
      badSysctl,
      /^error configuring sysctls for interface: cali1, error: failed to set net\.ipv4\.conf\.cali1\.nonsense=1: ENOENT/,
    ],
  ])('(%s) says which and why, and leaves nothing behind', (_, step, message) => {
    using lab = makeLab();
    const before = [state(lab.host), state(lab.pod)];

    const error = failure(() => apply(lab.pod, { ...dualStack, steps: [...dualStack.steps, step] }));

    expect(error.kind).toBe('network');
    expect(error.message).toMatch(message);
    expect(error.details).toContain(
      step.where === 'pod' ? 'step: pod# ip route add' : 'step: host# sysctl -w',
    );
    expect([state(lab.host), state(lab.pod)]).toEqual(before);
  });

  it('goes on with a warning where a switch may be missing', () => {
    using lab = makeLab();
    const step: Step = { ...badSysctl, onFailure: 'warn' };

    const { warnings } = apply(lab.pod, { ...dualStack, steps: [step, ...dualStack.steps] });

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^error configuring sysctls for interface: cali1.*nonsense/);
    expect(lab.pod.reached(['192.0.2.1', '2001:db8::1'])).toHaveLength(2);
  });

  it.each([
    ['in the sandbox', 'pod', 'ip link add name eth0 type bridge', 'eth0', 'bridge'],
    ['on the host', 'host', 'ip link add name cali1 type bridge', 'cali1', 'bridge'],
  ] as const)('leaves an interface alone that has the name %s', (where, side, command, name, kind) => {
    using lab = makeLab();
    lab[side].sh(command);
    const before = [state(lab.host), state(lab.pod)];

    const error = failure(() => apply(lab.pod, dualStack));

    expect(error.kind).toBe('network');
    expect(error.message).toMatch(
      new RegExp(`^an interface named ${name} already exists ${where} \\(ifindex \\d+, ${kind}\\)$`),
    );
    expect([state(lab.host), state(lab.pod)]).toEqual(before);
  });
});

describe('applyPlan() with interfaces to replace', () => {
  it('replaces a pair that still has the observed indexes', () => {
    using lab = makeLab();
    const first = apply(lab.pod, dualStack);

    const second = apply(lab.pod, dualStack, { replace: first });

    expect(second.hostIfIndex).toBeGreaterThan(first.hostIfIndex);
    expect(lab.pod.reached(['192.0.2.1'])).toEqual(['192.0.2.1']);
  });

  it('replaces a host end whose other end is in an older sandbox', () => {
    using lab = makeLab();
    using older = makeNetns('older');
    const { hostIfIndex } = apply(older, dualStack);

    apply(lab.pod, dualStack, { replace: { hostIfIndex } });

    expect(older.sh('ip -br link')).not.toContain('eth0');
    expect(lab.host.reached(['10.77.0.117', 'fd77::117'])).toHaveLength(2);
  });

  it.each([
    ['the sandbox end', (lab: Lab) => replacement(lab, { containerIfIndex: 99 })],
    ['the host end', (lab: Lab) => replacement(lab, { hostIfIndex: 99 })],
    ['one end', (lab: Lab) => replacement(lab, { hostIfIndex: undefined })],
  ])('changes nothing when %s is not the one that was observed', (_, replace) => {
    using lab = makeLab();
    const options = { replace: replace(lab) };
    const before = [state(lab.host), state(lab.pod)];

    const error = failure(() => apply(lab.pod, dualStack, options));

    expect(error.message).toMatch(/^an interface named (eth0|cali1) already exists/);
    expect([state(lab.host), state(lab.pod)]).toEqual(before);
  });

  it('is content when they are gone meanwhile', () => {
    using lab = makeLab();

    apply(lab.pod, dualStack, { replace: { hostIfIndex: 98, containerIfIndex: 99 } });

    expect(lab.host.reached(['10.77.0.117'])).toHaveLength(1);
  });
});

describe('undo()', () => {
  it('takes away what applyPlan() made, also twice', () => {
    using lab = makeLab();
    const before = [state(lab.host), state(lab.pod)];
    using kernel = openKernel(lab.pod.path);
    const { undo } = applyPlan(kernel, dualStack);

    undo();
    undo();

    expect([state(lab.host), state(lab.pod)]).toEqual(before);
  });
});

/** A wired pod's indexes, some of them changed. */
function replacement(lab: Lab, changes: ApplyOptions['replace']): NonNullable<ApplyOptions['replace']> {
  const { hostIfIndex, containerIfIndex } = apply(lab.pod, dualStack);
  return { hostIfIndex, containerIfIndex, ...changes };
}
