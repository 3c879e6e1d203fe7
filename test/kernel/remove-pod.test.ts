import { readdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/network/apply-plan.ts';
import { findLink } from '../../src/network/find-link.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { openNetlinkSocket } from '../../src/network/netlink/socket.ts';
import { planPod } from '../../src/network/plan-pod.ts';
import type { PodNetwork } from '../../src/network/pod-network.ts';
import { openSandboxLink, removeHostLink } from '../../src/network/remove-pod.ts';
import { makeLab, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

/** Looks and removes; whether something was there. */
async function removePodLink(netnsPath: string, ifName: string): Promise<boolean> {
  using link = openSandboxLink(netnsPath, ifName);
  await link.remove();
  return link.container !== undefined;
}

function wire(pod: TestNetns, rest: Partial<PodNetwork> = {}): void {
  using kernel = openKernel(pod.path);
  applyPlan(kernel, planPod(podNetwork(['10.77.0.117', 'fd77::117'], rest)));
}

const openFiles = () => readdirSync('/proc/self/fd').length;

describe('openSandboxLink()', () => {
  it('removes both ends and their routes, and is success the second time', async () => {
    using lab = makeLab();
    const before = lab.host.sh('ip -br link; ip route; ip -6 route');
    wire(lab.pod);

    expect(await removePodLink(lab.pod.path, 'eth0')).toBe(true);
    expect(await removePodLink(lab.pod.path, 'eth0')).toBe(false);

    expect(lab.host.sh('ip -br link; ip route; ip -6 route')).toBe(before);
  });

  it('is success before any ADD, without a path, and when the path is gone', async () => {
    using lab = makeLab();

    expect(await removePodLink(lab.pod.path, 'eth0')).toBe(false);
    expect(await removePodLink('', 'eth0')).toBe(false);
    lab.pod.delete();
    expect(await removePodLink(lab.pod.path, 'eth0')).toBe(false);
  });

  it('lets other work go on while the kernel is busy', async () => {
    using lab = makeLab();
    wire(lab.pod);
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);

    await removePodLink(lab.pod.path, 'eth0');
    clearInterval(ticking);

    expect(turns).toBeGreaterThan(0);
  });

  it('is told by the kernel when it may go on, before all of its work is done', async () => {
    using lab = makeLab();
    wire(lab.pod);
    using host = openNetlinkSocket();

    await removePodLink(lab.pod.path, 'eth0');

    expect(findLink(host, 'cali1')).toBeUndefined();
    expect(lab.pod.sh('ip -br link')).not.toContain('eth0');
    // The same names at once, for a sandbox that follows.
    wire(lab.pod);
    expect(await removePodLink(lab.pod.path, 'eth0')).toBe(true);
  });

  it('waits for the deletion itself where the other end is not on the host', async () => {
    using lab = makeLab();
    lab.pod.sh('ip link add eth0 type veth peer name eth2');

    expect(await removePodLink(lab.pod.path, 'eth0')).toBe(true);

    expect(lab.pod.sh('ip -br link')).not.toMatch(/eth0|eth2/);
  });

  it('keeps the socket that its thread reads from, and closes it after that', async () => {
    using lab = makeLab();
    wire(lab.pod);
    const before = openFiles();

    await removePodLink(lab.pod.path, 'eth0');

    await expect.poll(openFiles).toBe(before);
  });

  it('leaves an interface alone that no pod can have, and says so', async () => {
    using lab = makeLab();
    lab.pod.sh('ip link add name eth0 type bridge');

    using link = openSandboxLink(lab.pod.path, 'eth0');
    await link.remove();

    expect(link).toMatchObject({
      container: undefined,
      warning: 'interface eth0 was not deleted: it is bridge, and pods have veth or netkit',
    });
    expect(lab.pod.sh('ip -br link')).toContain('eth0');
  });

  it.each([
    ['a file', '/etc/hostname', /^unknown FS magic on "\/etc\/hostname": [0-9a-f]+$/],
    ['another kind of namespace', '/proc/self/ns/uts', /^failed to enter netns: .*setns: EINVAL/],
  ])('finds nothing in %s in place of a network namespace, and says why', (_, path, message) => {
    using link = openSandboxLink(path, 'eth0');
    expect(link.container).toBeUndefined();
    expect(link.warning).toMatch(message);
  });

  it('knows the other end, and does not take an interface of the host with the same index for it', () => {
    using lab = makeLab();
    wire(lab.pod);
    using wired = openSandboxLink(lab.pod.path, 'eth0');
    expect(wired.hostEnd?.name).toBe('cali1');

    lab.pod.sh('ip link add eth1 type veth peer name eth2');
    using inside = openSandboxLink(lab.pod.path, 'eth1');
    expect(inside.container?.name).toBe('eth1');
    expect(inside.hostEnd).toBeUndefined();
  });
});

describe('removeHostLink()', () => {
  it('removes the host end by name, and is success when it is gone', async () => {
    using lab = makeLab();
    wire(lab.pod);

    expect(await removeHostLink('cali1')).toBeUndefined();
    expect(await removeHostLink('cali1')).toBeUndefined();

    expect(lab.pod.sh('ip -br link')).not.toContain('eth0');
  });
});

describe('two hundred pods made and removed', () => {
  it('leave no file open', async () => {
    using lab = makeLab();
    const names = Array.from({ length: 8 }, (_, n) => `eth${n}`);
    const before = openFiles();

    for (let round = 0; round < 25; round++) {
      for (const name of names) {
        wire(lab.pod, { containerIfName: name, hostIfName: `cali${name}`, addresses: [], routes: [] });
      }
      await Promise.all(names.map((name) => removePodLink(lab.pod.path, name)));
    }

    await expect.poll(openFiles).toBe(before);
  });
});
