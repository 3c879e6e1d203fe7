/** A kubelet of the test's own on a containerd of the test: with static pods from a folder, or with an API server. */

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { Containerd } from './containerd.ts';
import { startDaemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import type { KubeObject } from './kube-apiserver.ts';
import { removeWithMounts } from './mounts.ts';
import { output } from './run.ts';
import { requireTool } from './tools.ts';

export interface KubeletOptions {
  readonly containerd: Containerd;
  readonly nodeName: string;
  /** An address of an interface of the node that is not loopback. */
  readonly nodeIp: string;
  /** Path of the kubeconfig with which it registers the node; without it, it is on its own. */
  readonly kubeconfig?: string;
}

export interface Kubelet {
  /** Lets it run a pod that no API server knows: writes, or replaces, its manifest. */
  writeManifest(pod: { readonly metadata: { readonly name: string } }): void;
  removeManifest(name: string): void;
  /** The pods it is responsible for, with their status, as it answers. */
  pods(): Promise<readonly KubeObject[]>;
  log(): string;
  /** Ends it; its pods go on, until containerd stops. */
  stop(): Promise<void>;
}

/** Starts it in the caller's network namespace. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  await hideKernelSettings();
  const directory = mkdtempSync(join(tmpdir(), 'kubelet-'));
  const manifests = join(directory, 'manifests');
  mkdirSync(manifests);
  const readOnlyPort = await freePort();
  const config = configuration(options.containerd, directory, readOnlyPort, await freePort());
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  const pods = async () => (await getJson(`http://127.0.0.1:${readOnlyPort}/pods`)).items ?? [];
  const daemon = await startDaemon([requireTool('kubelet'), ...flags(directory, options)], {
    directory,
    isReady: async () => Array.isArray(await pods()),
  });
  const pathOf = (name: string): string => join(manifests, `${name}.json`);
  return {
    writeManifest: (pod) => {
      // It reads a file as soon as that is there.
      const unfinished = join(directory, 'unfinished');
      writeFileSync(unfinished, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod }));
      renameSync(unfinished, pathOf(pod.metadata.name));
    },
    removeManifest: (name) => rmSync(pathOf(name)),
    pods,
    log: daemon.log,
    stop: async () => {
      await daemon.stop();
      await removeWithMounts(directory);
    },
  };
}

function flags(directory: string, { nodeName, nodeIp, kubeconfig }: KubeletOptions): readonly string[] {
  return [
    ...[
      '--config',
      'config.json',
      '--root-dir',
      join(directory, 'root'),
      '--cert-dir',
      join(directory, 'certificates'),
    ],
    ...['--hostname-override', nodeName, '--node-ip', nodeIp],
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
  ];
}

/** KubeletConfiguration, kubelet.config.k8s.io/v1beta1. */
function configuration(
  containerd: Containerd,
  directory: string,
  readOnlyPort: number,
  port: number,
): object {
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    containerRuntimeEndpoint: `unix://${containerd.socketPath}`,
    staticPodPath: join(directory, 'manifests'),
    podLogsDir: join(directory, 'logs'),
    address: '127.0.0.1',
    port,
    readOnlyPort,
    healthzPort: 0,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    // No minute of waiting between what a test does and what comes of it.
    fileCheckFrequency: '1s',
    syncFrequency: '1s',
    nodeStatusUpdateFrequency: '1s',
    // The machine's control groups, memory and disks are what they are, and are not kubelet's to manage.
    cgroupDriver: 'cgroupfs',
    cgroupRoot: containerd.cgroupParent,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
    resolvConf: '',
  };
}

/** Settings of the whole machine that kubelet changes, and checks afterwards: it gets files of their names instead. */
const KERNEL_SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

let kernelSettingsAreHidden = false;

/** For this mount namespace, which is the test run's own, and as long as that lasts. */
async function hideKernelSettings(): Promise<void> {
  if (kernelSettingsAreHidden) return;
  const folder = mkdtempSync(join(tmpdir(), 'kernel-settings-'));
  for (const setting of KERNEL_SETTINGS) {
    const file = join(folder, setting.replaceAll('/', '.'));
    writeFileSync(file, '0\n');
    await output(['mount', '--bind', file, join('/proc/sys', setting)]);
  }
  kernelSettingsAreHidden = true;
}

async function getJson(url: string): Promise<KubeObject> {
  const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    get(url, { agent: false, timeout: 10_000 }, resolve).once('error', reject);
  });
  return json(response);
}
