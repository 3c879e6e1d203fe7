/** README's first ten minutes, typed by a script: from what make build leaves to pods that talk under containerd. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSYBOX_IMAGE, writeBusyboxImage } from '../support/busybox-image.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { executable } from '../support/executable.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { removeWithMounts } from '../support/mounts.ts';
import { readmeSteps } from '../support/readme-commands.ts';
import { type Finished, output, run } from '../support/run.ts';
import { REPOSITORY, requireTool } from '../support/tools.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

/** What a test need not do again: it is built, and the image is there. */
const DONE_ALREADY = /^(?:make build|ctr image pull .*)$/;
/** What the commands say. */
const IMAGE = 'docker.io/library/busybox:latest';
/** Snapshots by copying: an overlay needs a file system below that is none itself. */
const ENVIRONMENT = { CONTAINERD_SNAPSHOTTER: 'native', HOME: '/root' };

describe.skipIf(why !== undefined)(`README's first ten minutes${skipped}`, () => {
  let folder: string;
  let containerd: Daemon;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'minutes-'));
    const ctr = [requireTool('ctr')];
    writeFileSync(
      join(folder, 'config.toml'),
      `version = 2\nroot = "${folder}/root"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[plugins."io.containerd.internal.v1.opt"]\n  path = "${folder}/opt"\n`,
    );
    containerd = await startDaemon([requireTool('containerd'), '--config', join(folder, 'config.toml')], {
      directory: folder,
      isReady: async () => (await run([...ctr, 'version'])).exitCode === 0,
    });
    mkdirSync(join(folder, 'image-parts'));
    const image = writeBusyboxImage(join(folder, 'image-parts'));
    await output([...ctr, 'images', 'import', '--snapshotter', 'native', image], { env: ENVIRONMENT });
    await output([...ctr, 'images', 'tag', BUSYBOX_IMAGE, IMAGE]);
    // What make build leaves in a clone.
    mkdirSync(join(folder, 'clone'));
    for (const name of ['dist', 'cni-conf']) symlinkSync(join(REPOSITORY, name), join(folder, 'clone', name));
  });
  afterAll(async () => {
    await containerd?.stop();
    await removeWithMounts(folder);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Types the commands into a shell that has folders of its own. */
  const type = (script: string): Promise<Finished> =>
    run(['unshare', '--mount', 'bash', '-euo', 'pipefail', '-c', `${privateFolders(folder)}\n${script}`], {
      env: ENVIRONMENT,
      timeoutMs: 100_000,
    });

  it('ends with two pods that talk, and with nothing left of them', async () => {
    const steps = readmeSteps('The first ten minutes').map(({ heading, commands }) => ({
      heading,
      commands: commands.filter((command) => !DONE_ALREADY.test(command)),
    }));
    expect(steps.flatMap(({ commands }) => commands).length).toBeGreaterThan(20);
    const script = steps.flatMap(({ heading, commands }) => [
      `echo '=== ${heading}'`,
      ...commands.map((command) => `echo ${quoted(`$ ${command}`)}\n${command}`),
    ]);
    const { stdout, stderr, exitCode } = await type(
      [
        ...script,
        'cmp /opt/cni/bin/calico /opt/cni/bin/calico-ipam',
        `cmp /opt/cni/bin/calico '${executable('calico')}'`,
      ].join('\n'),
    );
    process.stdout.write(stdout);
    expect(`${stderr}${exitCode}`).toMatch(/0$/);
    const after = (command: string) => stdout.split(`$ ${command}`)[1]?.split('\n$ ')[0] ?? '';
    expect(after('calico bootstrap')).toContain('created pool default-ipv4-ippool 192.168.0.0/16');
    expect(after('ip netns exec first')).toMatch(/inet 192\.168\.\d+\.\d+\/32 .* eth0/);
    expect(after('ctr run --rm --cni docker.io/library/busybox:latest client')).toContain(
      '3 packets received, 0% packet loss',
    );
    expect(stdout.split('$ calico get workloadendpoints\n').at(-1)).toMatch(
      /^WORKLOAD +NODE +NETWORKS +INTERFACE *\n\n/,
    );
  });
});

/** For the shell alone: what is installed, what settings there are, and what is kept is not the machine's, nor other tests'. */
function privateFolders(folder: string): string {
  // A container in the background would keep a script alive that has failed.
  return `
    trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT
    mount --make-rprivate /
    cp -a /etc '${folder}/etc'
    rm -rf '${folder}/etc/cni' '${folder}/etc/calico'
    mount --bind '${folder}/etc' /etc
    for folder in /opt /var/lib/calico /var/lib/cni; do mount -t tmpfs -o mode=755 none $folder; done
    cd '${folder}/clone'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
