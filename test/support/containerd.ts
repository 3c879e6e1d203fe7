/** A containerd of the test's own, with runc, the test's image, and CNI plugins and configuration from two folders. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { BUSYBOX_IMAGE, writeBusyboxImage } from './busybox-image.ts';
import { controlGroup } from './control-group.ts';
import { type Cri, connectCri } from './cri.ts';
import { startDaemon } from './daemon.ts';
import { EXECUTABLE_FOLDER } from './executable.ts';
import { removeWithMounts } from './mounts.ts';
import { output } from './run.ts';
import { REFERENCE_PLUGINS, requireTool } from './tools.ts';

export interface Containerd {
  readonly cri: Cri;
  /** For kubelet. */
  readonly socketPath: string;
  /** The control group that all containers are in, as the CRI names it. */
  readonly cgroupParent: string;
  /** Where the conflist is; containerd notices when it changes. */
  readonly confFolder: string;
  log(): string;
  /** Stops and removes all sandboxes, as far as the plugins let it, ends all processes and removes all files. */
  stop(): Promise<void>;
}

/** Starts it in the caller's network namespace, which is the node of its pods. */
export async function startContainerd(conflist: object): Promise<Containerd> {
  const directory = mkdtempSync(join(tmpdir(), 'containerd-'));
  const { socketPath, confFolder } = writeConfiguration(directory, conflist);
  const group = controlGroup(basename(directory));
  const cri = connectCri(socketPath, group.path);
  const daemon = await startDaemon([requireTool('containerd'), '--config', 'config.toml'], {
    directory,
    isReady: () => cri.isReady(),
  });
  await importImage(directory, socketPath);
  return {
    cri,
    socketPath,
    cgroupParent: group.path,
    confFolder,
    log: daemon.log,
    stop: async () => {
      await removeAll(cri);
      cri.close();
      await daemon.stop();
      endProcessesWith(directory);
      await group.remove();
      await removeWithMounts(directory);
    },
  };
}

/** Copies: an overlay needs a file system below that is none itself, which a container that runs tests may not have. */
const SNAPSHOTTER = 'native';

async function importImage(directory: string, socketPath: string): Promise<void> {
  const ctr = [requireTool('ctr'), '--address', socketPath, '--namespace', 'k8s.io'];
  await output([...ctr, 'images', 'import', '--snapshotter', SNAPSHOTTER, writeBusyboxImage(directory)]);
}

/** Our executable and the reference plugins, side by side: containerd wants one folder. */
function linkPlugins(folder: string): string {
  mkdirSync(folder);
  for (const source of [REFERENCE_PLUGINS, EXECUTABLE_FOLDER])
    for (const name of readdirSync(source)) symlinkSync(join(source, name), join(folder, name));
  return folder;
}

interface Paths {
  readonly socketPath: string;
  readonly confFolder: string;
}

function writeConfiguration(directory: string, conflist: object): Paths {
  const socketPath = join(directory, 'containerd.sock');
  const confFolder = join(directory, 'net.d');
  mkdirSync(confFolder);
  writeFileSync(join(confFolder, '10-test.conflist'), JSON.stringify(conflist));
  const pluginFolder = linkPlugins(join(directory, 'plugins'));
  const configuration = `
version = 2
root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${socketPath}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${BUSYBOX_IMAGE}"
  # Lowering a score needs CAP_SYS_RESOURCE, which a container that runs tests may not have.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${pluginFolder}"
    conf_dir = "${confFolder}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${SNAPSHOTTER}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;
  writeFileSync(join(directory, 'config.toml'), configuration);
  return { socketPath, confFolder };
}

/** Best effort: a test that failed may have left what cannot be removed. */
async function removeAll(cri: Cri): Promise<void> {
  const sandboxes = await cri.listPodSandboxes().catch(() => []);
  for (const { id } of sandboxes) {
    await cri.stopPodSandbox(id).catch(() => undefined);
    await cri.removePodSandbox(id).catch(() => undefined);
  }
}

/** Shims outlive containerd; they are told where it is. */
function endProcessesWith(argument: string): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (commandLine.includes(argument)) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
