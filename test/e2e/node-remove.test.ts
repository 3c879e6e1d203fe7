/** `calico node remove` by the whole executable, on a host that has had an agent and a pod. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentLab, makeAgentLab } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';

const why = whyNoNetns();
const PICTURE = 'ip -o link; ip -o address; ip route show table all; ip -6 route show table all';

describe.skipIf(why !== undefined)(
  `calico node remove${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: AgentLab;
    beforeAll(async () => {
      lab = await makeAgentLab({ subnets: [50, 60] });
      await writePool(lab.etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'Always' });
      await lab.startAgents();
    });
    afterAll(() => lab[Symbol.asyncDispose]());

    const remove = (...options: readonly string[]) =>
      lab.host(1).run([executable('calico'), 'node', 'remove', ...options]);

    it('is refused while the agent runs, and then takes away what it made but not what is the pod’s', async () => {
      const host = lab.host(1);
      const pod = await host.makePod();
      const refused = await remove();
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        expect.stringContaining('another node agent runs on this host'),
      ]);
      await host.agent?.kill('SIGTERM');
      const before = host.sh(PICTURE);
      expect(before).toContain('dev vxlan.calico proto 202');

      const dry = await remove('--dry-run');
      expect(dry).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('ip link del vxlan.calico\n'),
      });
      expect(host.sh(PICTURE)).toBe(before);

      expect(await remove()).toMatchObject({ exitCode: 0, stdout: dry.stdout });
      const after = host.sh(PICTURE);
      expect(after).not.toMatch(/vxlan|proto 202/);
      expect(after).toContain(`${pod.ipv4} dev cali`);
      expect(existsSync(join(host.folder, 'nodename'))).toBe(false);
      expect((await remove()).stdout).toBe('there is nothing of an agent on this host\n');

      await host.startAgent().ready;
      await pod.remove();
    });
  },
);
