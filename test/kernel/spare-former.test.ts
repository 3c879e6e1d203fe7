/** A pod gets a new sandbox while the earlier one still runs: both want the same name on the host. */

import { beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/base/cidr.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import type { Log } from '../../src/base/log.ts';
import { type AppliedPod, applyPlan } from '../../src/network/apply-plan.ts';
import type { Replaceable } from '../../src/network/clear-the-way.ts';
import { findLink } from '../../src/network/find-link.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { type PodPlan, planPod, type Step } from '../../src/network/plan-pod.ts';
import { planSwap, temporaryHostIfName } from '../../src/network/plan-swap.ts';
import type { PodNetwork } from '../../src/network/pod-network.ts';
import { openSandboxLink } from '../../src/network/remove-pod.ts';
import { spareFormer } from '../../src/network/spare-former.ts';
import { trips } from '../../src/network/trips.ts';
import { doomLink } from '../../src/plugins/calico/doomed-link.ts';
import { wirePod } from '../../src/plugins/calico/wire-pod.ts';
import { type Lab, makeLab, makeNetns, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

const HOST_IF_NAME = 'cali9aa35139ea0';
const TEMPORARY = temporaryHostIfName(HOST_IF_NAME);
const HOSTS = ['192.0.2.1', '2001:db8::1'];
const OLD = ['10.77.0.117', 'fd77::117'];
const NEW = ['10.77.0.118', 'fd77::118'];

const network = (addresses: readonly string[], rest: Partial<PodNetwork> = {}) =>
  podNetwork(addresses, { hostIfName: HOST_IF_NAME, ...rest });

/** A host, the pod's new sandbox, and `older`, where it works already. */
interface Replacement extends Lab {
  readonly older: TestNetns;
  readonly replace: { readonly hostIfIndex: number };
}

function makeReplacement(): Replacement {
  const stack = new DisposableStack();
  const lab = stack.use(makeLab());
  const older = stack.use(makeNetns('older'));
  using kernel = openKernel(older.path);
  const { hostIfIndex } = applyPlan(kernel, planPod(network(OLD)));
  return { ...lab, older, replace: { hostIfIndex }, [Symbol.dispose]: () => stack.dispose() };
}

/** As an ADD wires a pod, but for what `change` does to the plan. */
function wire(
  pod: TestNetns,
  wanted: PodNetwork,
  replace: Replaceable,
  change = (plan: PodPlan) => plan,
): void {
  using kernel = openKernel(pod.path);
  const wiring = spareFormer(kernel, wanted, replace);
  expect(applyPlan(kernel, change(wiring.plan), wiring).warnings).toEqual([]);
}

/** Also tells whether the interface that is to go is the one that stays. */
function expectOlderToWork({ older, host, replace }: Replacement): void {
  expect(older.reached(HOSTS)).toEqual(HOSTS);
  expect(host.reached(OLD)).toEqual(OLD);
  expect(host.sh(`cat /sys/class/net/${HOST_IF_NAME}/ifindex`)).toBe(String(replace.hostIfIndex));
}

function expectNewToWork({ pod, older, host }: Replacement, addresses = NEW): void {
  expect(pod.reached(HOSTS)).toEqual(HOSTS);
  expect(host.reached(addresses)).toEqual(addresses);
  expect(older.sh('ip -br link')).not.toContain('eth0');
  expect(host.sh('ip -br link')).not.toContain(TEMPORARY);
}

/** What `ip` and /proc/sys say of a host end and of its pod, without what a new interface has of its own. */
async function stateOf(pod: TestNetns, host: TestNetns, hostIfName: string): Promise<string> {
  // The kernel makes the pod's own link-local address, and a moment later says that it is usable.
  await expect.poll(() => pod.sh('ip -6 address show eth0')).toMatch(/^(?!.*tentative).*scope link/s);
  const inPod = pod.sh(
    'ip -br link show eth0; ip address show eth0; ip route; ip -6 route; ip neigh; ip -6 neigh',
  );
  const onHost = host.sh(`
    ip -br link show ${hostIfName}; ip address show ${hostIfName}
    ip route show dev ${hostIfName}; ip -6 route show dev ${hostIfName}
    grep -r . /proc/sys/net/ipv[46]/conf/${hostIfName} /proc/sys/net/ipv[46]/neigh/${hostIfName} 2>/dev/null \
      | grep -v stable_secret
  `);
  return `${inPod}\n${onHost}`
    .replaceAll(/^\d+: /gm, '')
    .replaceAll(/@if\d+|link-netns(id)? \S+/g, '')
    .replaceAll(hostIfName, 'HOSTIF');
}

describe('a pod in a new sandbox', () => {
  it.each([
    ['other addresses', NEW, 'veth'],
    ['the same addresses', OLD, 'veth'],
    ['netkit', NEW, 'netkit'],
  ] as const)('takes the place of the earlier one (%s)', (_, addresses, deviceType) => {
    using lab = makeReplacement();
    using kernel = openKernel(lab.pod.path);
    const { plan, replace } = spareFormer(kernel, network(addresses, { deviceType }), lab.replace);

    applyPlan(kernel, plan, { replace });

    expectNewToWork(lab, [...addresses]);
    expect(lab.host.sh('ip route; ip -6 route').includes('10.77.0.117')).toBe(addresses === OLD);
  });

  it('is in the state that it would be in without an earlier one', async () => {
    using lab = makeReplacement();
    using other = makeNetns('other');
    wire(lab.pod, network(NEW), lab.replace);
    const swapped = await stateOf(lab.pod, lab.host, HOST_IF_NAME);
    lab.host.sh(`ip link del ${HOST_IF_NAME}`);

    wire(other, network(NEW), {});

    expect(swapped).toBe(await stateOf(other, lab.host, HOST_IF_NAME));
  });

  it('leaves the earlier one in peace until the very last trip', () => {
    using lab = makeReplacement();
    const { pair, steps } = planSwap(network(NEW), lab.replace.hostIfIndex);

    for (const [at] of trips(steps).entries()) {
      using pod = makeNetns('pod');
      using kernel = openKernel(pod.path);
      applyPlan(kernel, { pair, steps: trips(steps).slice(0, at).flat() });
      expectOlderToWork(lab);
      expect(findLink(kernel.host, TEMPORARY)).toMatchObject({ isUp: false });
      lab.host.sh(`ip link del ${TEMPORARY}`);
    }
  });

  it('is wired the plain way when the earlier one is gone meanwhile', () => {
    using lab = makeReplacement();
    lab.host.sh(`ip link del ${HOST_IF_NAME}`);
    using kernel = openKernel(lab.pod.path);

    expect(spareFormer(kernel, network(NEW), lab.replace)).toEqual({
      plan: planPod(network(NEW)),
      replace: lab.replace,
    });
    wire(lab.pod, network(NEW), lab.replace);

    expectNewToWork(lab);
  });

  it('replaces its own pair the plain way', () => {
    using lab = makeLab();
    using kernel = openKernel(lab.pod.path);
    const own = applyPlan(kernel, planPod(network(NEW)));

    expect(spareFormer(kernel, network(NEW), own).plan).toEqual(planPod(network(NEW)));
  });
});

describe('spareFormer()', () => {
  it('asks the kernel nothing when no host end is to be replaced', () => {
    using lab = makeLab();
    const kernel = openKernel(lab.pod.path);
    kernel.close();

    expect(spareFormer(kernel, network(NEW), {})).toEqual({ plan: planPod(network(NEW)), replace: {} });
    expect(() => spareFormer(kernel, network(NEW), { hostIfIndex: 9 })).toThrow('EBADF');
  });

  it.each([
    ['IPv4', 'ip route add 10.77.0.118/32 dev uplink', `Ifindex: 3, Dst: 10.77.0.118/32, Scope: link`],
    ['an IPv4 blackhole', 'ip route add blackhole 10.77.0.118/32', 'Dst: 10.77.0.118/32'],
    ['IPv6', 'ip -6 route add fd77::118/128 dev uplink', 'Ifindex: 3, Dst: fd77::118/128, Scope: universe'],
  ])('refuses a route of another interface (%s) before anything is made', (_, command, found) => {
    using lab = makeReplacement();
    lab.host.sh(command);
    const names = () => [lab.host, lab.pod].map((netns) => netns.sh('ip -o link | cut -d: -f1,2'));
    const before = names();

    expect(() => wire(lab.pod, network(NEW), lab.replace)).toThrow(
      new RegExp(
        `^error adding host side routes for interface: ${HOST_IF_NAME}, error: route \\(Dst: .*\\) already exists for an interface other than '${HOST_IF_NAME}': route .*${found}`,
      ),
    );

    expectOlderToWork(lab);
    expect(names()).toEqual(before);
  });

  it.each([
    ['of another metric', 'ip route add 10.77.0.118/32 dev uplink metric 7'],
    ['of another metric, IPv6', 'ip -6 route add fd77::118/128 dev uplink metric 2048'],
    ['of another table', 'ip route add 10.77.0.118/32 dev uplink table 7'],
    ['of the node agent', 'ip route add 10.77.0.118/32 dev uplink proto 202'],
    ['of the node agent, IPv6', 'ip -6 route add fd77::118/128 dev uplink proto 202'],
  ])('does not mind a route %s, as the kernel does not', (_, command) => {
    using lab = makeReplacement();
    lab.host.sh(command);

    wire(lab.pod, network(NEW), lab.replace);

    expectNewToWork(lab);
  });
});

describe('the earlier sandbox works on', () => {
  const refused: readonly (readonly [string, Step])[] = [
    [
      'a switch of the host end',
      {
        do: 'write-sysctl',
        where: 'host',
        ifName: TEMPORARY,
        key: `net/ipv4/conf/${TEMPORARY}/nonsense`,
        value: '1',
        onFailure: 'fail',
      },
    ],
    [
      'a switch of the pod',
      {
        do: 'write-sysctl',
        where: 'pod',
        ifName: 'eth0',
        key: 'net/ipv4/conf/eth0/nonsense',
        value: '1',
        onFailure: 'fail',
      },
    ],
    [
      'a route in the pod',
      {
        do: 'add-route',
        where: 'pod',
        ifName: 'eth0',
        destination: parseCidr('10.9.0.0/16'),
        gateway: parseIpAddress('172.16.0.1'),
        scope: 'global',
      },
    ],
  ];

  it.each(refused)('when the kernel refuses %s', (_, step) => {
    using lab = makeReplacement();
    const insertStep = ({ pair, steps }: PodPlan) => {
      const swap = steps.findIndex((some) => some.do === 'delete-link');
      return { pair, steps: steps.toSpliced(swap, 0, step) };
    };

    expect(() => wire(lab.pod, network(NEW), lab.replace, insertStep)).toThrow(/nonsense|invalid gateway/);

    expectOlderToWork(lab);
    expect(lab.host.sh('ip -br link')).not.toContain(TEMPORARY);
    expect(lab.pod.sh('ip -br link')).not.toContain('eth0');
  });

  it.each([
    ['the MTU', { mtu: 99_999_999 }],
    ['the number of queues', { queues: 99_999 }],
  ])('when the kernel refuses %s', (_, rest) => {
    using lab = makeReplacement();

    expect(() => wire(lab.pod, network(NEW, rest), lab.replace)).toThrow('failed to create the veth pair');

    expectOlderToWork(lab);
  });

  it('when the name is taken in the new sandbox', () => {
    using lab = makeReplacement();
    lab.pod.sh('ip link add name eth0 type bridge');

    expect(() => wire(lab.pod, network(NEW), lab.replace)).toThrow(
      /^an interface named eth0 already exists in the sandbox/,
    );

    expectOlderToWork(lab);
    expect(lab.pod.sh('ip -d link show eth0')).toContain('bridge');
  });

  it.each([
    ['of another kind', `ip link add name ${TEMPORARY} address ee:ee:ee:ee:ee:ee type bridge`],
    ['with a MAC of its own', `ip link add name ${TEMPORARY} type veth peer name some`],
    ['that is up', `ip link add name ${TEMPORARY} address ee:ee:ee:ee:ee:ee up type veth peer name some`],
  ])('when something %s has the temporary name, which stays', (_, command) => {
    using lab = makeReplacement();
    lab.host.sh(command);

    expect(() => wire(lab.pod, network(NEW), lab.replace)).toThrow(
      `an interface named ${TEMPORARY} already exists on the host`,
    );

    expectOlderToWork(lab);
    expect(lab.host.sh('ip -br link')).toContain(TEMPORARY);
  });
});

describe('applyPlan() of a swap', () => {
  it('leaves an interface alone that got the name meanwhile, and takes its own pair away', () => {
    using lab = makeReplacement();
    using kernel = openKernel(lab.pod.path);
    const { plan, replace } = spareFormer(kernel, network(NEW), lab.replace);
    lab.host.sh(`ip link set ${HOST_IF_NAME} name other; ip link add name ${HOST_IF_NAME} type bridge`);
    lab.host.sh('ip link del other');

    expect(() => applyPlan(kernel, plan, { replace })).toThrow(
      `failed to rename "${TEMPORARY}" to "${HOST_IF_NAME}": RTM_NEWLINK: EEXIST`,
    );

    expect(lab.host.sh(`ip -d link show ${HOST_IF_NAME}`)).toContain('bridge');
    expect(lab.host.sh('ip -br link')).not.toContain(TEMPORARY);
    expect(lab.pod.sh('ip -br link')).not.toContain('eth0');
  });
});

/** What an ADD leaves that is killed after so many trips to the kernel. */
function wireUntilKilled(lab: Replacement, after: number): AppliedPod {
  const { pair, steps } = planSwap(network(['10.77.0.119']), lab.replace.hostIfIndex);
  using kernel = openKernel(lab.pod.path);
  return applyPlan(kernel, { pair, steps: trips(steps).slice(0, after).flat() });
}

const ignore = () => undefined;
const quietLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** What the endpoint says, which is written before the pod is wired. */
const recorded = { mac: '02:00:00:00:00:01', interfaceName: HOST_IF_NAME };

describe.each([0, 1, 2, 3])('after an ADD that was killed after %i trips', (after) => {
  it('the earlier sandbox works, also while a repeated ADD fails, until one completes it', () => {
    using lab = makeReplacement();
    const { containerIfIndex } = wireUntilKilled(lab, after);
    expectOlderToWork(lab);

    using kernel = openKernel(lab.pod.path);
    const replace = { ...lab.replace, containerIfIndex };
    const again = () => wirePod(kernel, network(NEW), { hostIfName: HOST_IF_NAME, replace }, quietLog);
    lab.host.sh('ip route add 10.77.0.118/32 dev uplink');
    expect(again).toThrow('already exists for an interface other than');
    expectOlderToWork(lab);
    lab.host.sh('ip route del 10.77.0.118/32 dev uplink');
    again();

    expectNewToWork(lab);
  });

  it('another sandbox of the pod takes the place of both', () => {
    using lab = makeReplacement();
    wireUntilKilled(lab, after);
    using newest = makeNetns('newest');

    wire(newest, network(NEW), lab.replace);

    expectNewToWork({ ...lab, pod: newest });
    expect(lab.pod.sh('ip -br link')).not.toContain('eth0');
  });

  it('a DEL removes it, known by its name or by its MAC, and not the earlier one', async () => {
    using lab = makeReplacement();
    for (const names of [
      { usual: HOST_IF_NAME, alternative: 'cali2' },
      { usual: 'cali1', alternative: 'cali2' },
    ]) {
      wireUntilKilled(lab, after);
      using sandbox = openSandboxLink(lab.pod.path, 'eth0');
      const link = doomLink(sandbox, names, false);
      link.doomIfOf(recorded);
      await link.gone();
      expect(lab.host.sh('ip -br link')).not.toContain(TEMPORARY);
    }
    expectOlderToWork(lab);
  });

  it('it goes with the namespace of its sandbox', async () => {
    using lab = makeReplacement();
    wireUntilKilled(lab, after);

    lab.pod.delete();

    await expect.poll(() => lab.host.sh('ip -br link')).not.toContain(TEMPORARY);
    expectOlderToWork(lab);
  });
});
