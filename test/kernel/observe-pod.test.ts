import { beforeEach, describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/network/apply-plan.ts';
import { type Difference, differencesFrom } from '../../src/network/difference.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { observePod } from '../../src/network/observe-pod.ts';
import { planPod } from '../../src/network/plan-pod.ts';
import { makeLab, makeNetns, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

const network = podNetwork(['10.77.0.117', 'fd77::117']);
const plan = planPod(network);

function wire(pod: TestNetns): void {
  using kernel = openKernel(pod.path);
  applyPlan(kernel, plan);
}

function differences(pod: TestNetns): readonly Difference[] {
  using kernel = openKernel(pod.path);
  return differencesFrom(plan, observePod(kernel, network));
}

describe('observePod()', () => {
  it('sees nothing where nothing is', () => {
    using lab = makeLab();
    using kernel = openKernel(lab.pod.path);

    expect(observePod(kernel, network)).toEqual({
      container: undefined,
      host: undefined,
      isPair: false,
      hostRoutes: [],
    });
  });

  it('sees what applyPlan() made', () => {
    using lab = makeLab();
    using kernel = openKernel(lab.pod.path);
    const { containerIfIndex, hostIfIndex } = applyPlan(kernel, plan);

    const { container, host, isPair, hostRoutes } = observePod(kernel, network);

    expect(container?.link).toMatchObject({
      ifIndex: containerIfIndex,
      kind: 'veth',
      mac: '02:00:00:00:00:01',
      mtu: 1440,
      isUp: true,
      peerIfIndex: hostIfIndex,
    });
    expect(host?.link).toMatchObject({ ifIndex: hostIfIndex, mac: 'ee:ee:ee:ee:ee:ee' });
    expect(isPair).toBe(true);
    expect(hostRoutes.map((route) => route.ifIndex)).toEqual([hostIfIndex, hostIfIndex]);
  });

  it('does not take two ends for a pair because their indexes fit', () => {
    using lab = makeLab();
    using other = makeNetns('other');
    // cali1's other end is in `other`; the pod's eth0 belongs to a pair with the same two indexes elsewhere.
    lab.host.sh(`ip link add name cali1 index 40 type veth peer name eth0 index 20 netns ${other.name}`);
    using third = makeNetns('third');
    third.sh(`ip link add name cali1 index 40 type veth peer name eth0 index 20 netns ${lab.pod.name}`);
    using kernel = openKernel(lab.pod.path);

    const { container, host, isPair } = observePod(kernel, network);

    expect([container?.link.peerIfIndex, host?.link.peerIfIndex]).toEqual([40, 20]);
    expect(isPair).toBe(false);
  });
});

describe('differencesFrom()', () => {
  it('finds none in a pod just wired', () => {
    using lab = makeLab();
    wire(lab.pod);

    expect(differences(lab.pod)).toEqual([]);
  });

  it.each([
    [
      'pod',
      'ip link del eth0',
      ['interface eth0 in the sandbox: present/missing', 'interface cali1 on the host: present/missing'],
    ],
    ['pod', 'ip addr del fd77::117/128 dev eth0', ['address fd77::117/128 of eth0: present/missing']],
    ['pod', 'ip route del default', ['route 0.0.0.0/0: via 169.254.1.1 dev eth0/missing']],
    ['pod', 'ip link set eth0 mtu 1300', ['interface eth0 in the sandbox: mtu 1440/mtu 1300']],
    [
      'pod',
      'ip neigh del 169.254.1.1 dev eth0',
      ['neighbour 169.254.1.1 of eth0: ee:ee:ee:ee:ee:ee permanent/missing'],
    ],
    ['host', 'ip -6 route del fd77::117', ['host route fd77::117/128: dev cali1/missing']],
    [
      'host',
      'ip route replace 10.77.0.117/32 dev uplink',
      ['host route 10.77.0.117/32: dev cali1/dev ifindex 3'],
    ],
    [
      'host',
      'ip addr del fe80::ecee:eeff:feee:eeee/64 dev cali1',
      ['address fe80::ecee:eeff:feee:eeee/64 of cali1: present/missing'],
    ],
    [
      'host',
      'ip link set cali1 address ee:ee:ee:ee:ee:00',
      ['interface cali1 on the host: mac ee:ee:ee:ee:ee:ee/mac ee:ee:ee:ee:ee:00'],
    ],
  ] as const)('finds what is missing after %s# %s', (side, command, expected) => {
    using lab = makeLab();
    wire(lab.pod);

    lab[side].sh(command);

    const found = differences(lab.pod).map((d) => `${d.object}: ${d.expected}/${d.found}`);
    expect(found).toEqual(expected);
  });

  it('knows an interface that is down', () => {
    using lab = makeLab();
    wire(lab.pod);

    lab.host.sh('ip link set cali1 down');

    expect(differences(lab.pod)).toContainEqual({
      object: 'interface cali1',
      expected: 'up',
      found: 'down',
      isEssential: true,
    });
  });
});
