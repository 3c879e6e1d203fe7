/** A pod that shall have netkit: on kernels that know it, and on those that do not. */

import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyPlan } from '../../src/network/apply-plan.ts';
import { differencesFrom } from '../../src/network/difference.ts';
import { findLink } from '../../src/network/find-link.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { observePod } from '../../src/network/observe-pod.ts';
import { planPod } from '../../src/network/plan-pod.ts';
import { openSandboxLink } from '../../src/network/remove-pod.ts';
import { makeLab, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';
import { requireTool } from '../support/tools.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

const network = podNetwork(['10.77.0.117', 'fd77::117'], { deviceType: 'netkit' });
const plan = planPod(network);

/** Asked of `ip`, in the namespace the test is in. */
function knowsNetkit(): boolean {
  const { status } = spawnSync(requireTool('ip'), ['link', 'add', 'nk0', 'type', 'netkit']);
  if (status === 0) spawnSync(requireTool('ip'), ['link', 'del', 'nk0']);
  return status === 0;
}

describe('applyPlan() of a netkit pair', () => {
  it('makes it, or a veth pair with a warning where the kernel has no netkit', () => {
    using lab = makeLab();
    const [kind, ...warnings] = knowsNetkit()
      ? ['netkit']
      : [
          'veth',
          'the kernel has no netkit devices, so eth0 and cali1 are a veth pair: RTM_NEWLINK: ENOTSUP: operation not supported on socket; the kernel says: Unknown device type',
        ];
    using kernel = openKernel(lab.pod.path);

    const applied = applyPlan(kernel, plan);

    expect(applied.warnings).toEqual(warnings);
    expect(findLink(kernel.pod, 'eth0')).toMatchObject({ kind, mac: '02:00:00:00:00:01', mtu: 1440 });
    expect(findLink(kernel.host, 'cali1')).toMatchObject({ kind, mac: 'ee:ee:ee:ee:ee:ee', mtu: 1440 });
    expect(lab.pod.reached(['192.0.2.1', '2001:db8::1'])).toHaveLength(2);
  });

  it('leaves what a later ADD finds as it should be, and a DEL removes', async () => {
    using lab = makeLab();
    using kernel = openKernel(lab.pod.path);
    applyPlan(kernel, plan);

    expect(differencesFrom(plan, observePod(kernel, network))).toEqual([]);
    using sandbox = openSandboxLink(lab.pod.path, 'eth0');
    expect(sandbox.hostEnd?.name).toBe('cali1');
    await sandbox.remove();
    expect(observePod(kernel, network)).toMatchObject({ container: undefined, host: undefined });
  });

  it.each([
    ['in the sandbox', 'pod', 'eth0'],
    ['on the host', 'host', 'cali1'],
  ] as const)('leaves an interface alone that has the name %s', (where, side, name) => {
    using lab = makeLab();
    lab[side].sh(`ip link add name ${name} type bridge`);
    using kernel = openKernel(lab.pod.path);

    expect(() => applyPlan(kernel, plan)).toThrow(`an interface named ${name} already exists ${where}`);
    expect(findLink(kernel[side], name)).toMatchObject({ kind: 'bridge' });
  });
});
