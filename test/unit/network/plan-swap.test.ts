import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPlan } from '../../../src/network/format-plan.ts';
import { planPod } from '../../../src/network/plan-pod.ts';
import { planSwap, temporaryHostIfName } from '../../../src/network/plan-swap.ts';
import { trips } from '../../../src/network/trips.ts';
import { podNetwork } from '../../support/pod-network.ts';

const dualStack = podNetwork(['10.77.0.117', 'fd77::117'], { hostIfName: 'cali9aa35139ea0' });

describe('planSwap()', () => {
  it('makes the pair under a temporary name, and disconnects the earlier sandbox last', () => {
    const lines = formatPlan(planSwap(dualStack, 7));

    expect(lines[0]).toContain('pod# ip link add eth0 ');
    expect(lines[0]).toContain(' peer name new-9aa35139ea0 ');
    expect(lines).toContain('host# sysctl -w net/ipv4/conf/new-9aa35139ea0/proxy_arp=1');
    expect(lines.slice(lines.indexOf('host# ip link del cali9aa35139ea0'))).toEqual([
      'host# ip link del cali9aa35139ea0',
      'host# ip link set new-9aa35139ea0 name cali9aa35139ea0',
      'host# ip link set cali9aa35139ea0 up',
      'host# ip addr replace fe80::ecee:eeff:feee:eeee/64 dev cali9aa35139ea0 scope link nodad',
      'host# ip route add 10.77.0.117/32 dev cali9aa35139ea0 scope link',
      'host# ip -6 route add fd77::117/128 dev cali9aa35139ea0 scope link',
    ]);
  });

  it('takes the steps of the plain plan, each under the name the host end has by then', () => {
    const lines = formatPlan(planSwap(dualStack, 7));
    const plain = formatPlan(planPod(dualStack));

    const renamed = lines.map((line) => line.replaceAll('new-9aa35139ea0', 'cali9aa35139ea0'));
    expect(renamed.filter((line) => !/ip link (del|set .* name)/.test(line)).toSorted()).toEqual(
      plain.toSorted(),
    );
    const swap = lines.findIndex((line) => line.includes(' name cali9aa35139ea0'));
    expect(lines.slice(0, swap - 1).join()).not.toContain('cali9aa35139ea0');
    expect(lines.slice(swap + 1).join()).not.toContain('new-9aa35139ea0');
  });

  it('swaps in a single trip, so that nothing can come in between', () => {
    const last = trips(planSwap(dualStack, 7).steps).at(-1);

    expect(last?.map((step) => step.do)).toEqual([
      'delete-link',
      'rename-link',
      'set-up',
      'add-address',
      'add-route',
      'add-route',
    ]);
    expect(last?.[0]).toMatchObject({ ifIndex: 7 });
  });

  it('does the same with a netkit pair', () => {
    const netkit = planSwap({ ...dualStack, deviceType: 'netkit' }, 7);

    expect(formatPlan(netkit)[0]).toMatch(/^host# ip link add new-9aa35139ea0 .* type netkit .* name eth0 /);
    expect(netkit.steps).toEqual(planSwap(dualStack, 7).steps);
  });
});

describe('temporaryHostIfName()', () => {
  it.each([
    ['cali9aa35139ea0', 'new-9aa35139ea0'],
    ['cali1', 'new-cali1'],
    ['newt9aa35139ea0', 'tmp-9aa35139ea0'],
  ])('of %s is %s', (hostIfName, temporary) => {
    expect(temporaryHostIfName(hostIfName)).toBe(temporary);
  });

  it("is short enough, tells pods apart, and has none of Felix's prefixes", () => {
    const prefixes = fc.stringMatching(/^[a-z]{1,4}$/);
    const hash = fc.stringMatching(/^[0-9a-f]{11}$/);
    fc.assert(
      fc.property(prefixes, hash, (prefix, digits) => {
        const name = temporaryHostIfName(prefix + digits);
        expect(name.length).toBeLessThanOrEqual(15);
        expect(name.endsWith(digits)).toBe(true);
        expect(name.startsWith(prefix) || name.startsWith('cali')).toBe(false);
      }),
    );
  });
});
