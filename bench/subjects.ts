/** What is measured: our executable, the reference plugins, and processes that do nothing. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Etcd } from '../test/support/etcd.ts';
import { EXECUTABLE_FOLDER, executable } from '../test/support/executable.ts';
import { REFERENCE_PLUGINS, toolPath } from '../test/support/tools.ts';
import type { Datastore } from './datastores.ts';
import type { Command } from './measure.ts';

export type Verb = 'ADD' | 'DEL';

/** What every call is compared with: it does nothing but start and end. */
export const EMPTY_PROCESS = 'an empty Node.js';
/** The one that has goals. */
export const ON_ETCD = 'calico, etcd';
/** How many pods of other nodes etcd holds. */
export const CLUSTER_SIZES = [1_000, 50_000] as const;

export function onFilledEtcd(pods: number): string {
  return `${ON_ETCD}, ${pods.toLocaleString('en')} pods`;
}

export interface Subject {
  readonly name: string;
  /** Empty for one that networks nothing: it is just run. */
  readonly verbs: readonly Verb[];
  /** Whether it is measured with several at once, too. */
  readonly inParallel: boolean;
  /** Where its requests are counted. */
  readonly etcd: Etcd | undefined;
  /** The command for one pod. */
  command(verb: Verb | undefined, pod: string): Command;
}

/** Our executable on a datastore. `settings` are keys of the network configuration. */
export function calico(
  folder: string,
  name: string,
  { conf, etcd }: Datastore,
  inParallel: boolean,
  settings: object = {},
  argsOf: (pod: string) => string = () => '',
): Subject {
  const netConf = {
    type: 'calico',
    ...conf,
    nodename: 'node1',
    nodename_file_optional: true,
    log_level: 'error',
    ipam: { type: 'calico-ipam' },
    ...settings,
  };
  return { ...plugin(folder, name, executable('calico'), netConf, argsOf), etcd, inParallel };
}

export function ptp(folder: string): Subject {
  return plugin(folder, 'ptp + host-local', join(REFERENCE_PLUGINS, 'ptp'), {
    type: 'ptp',
    ipam: { type: 'host-local', subnet: '10.22.0.0/16', dataDir: join(folder, 'host-local') },
  });
}

export function idleProcesses(): readonly Subject[] {
  return [idle(EMPTY_PROCESS, [process.execPath, '-e', '0']), idle('/bin/true', ['/bin/true'])];
}

function plugin(
  folder: string,
  name: string,
  path: string,
  conf: { readonly type: string; readonly [key: string]: unknown },
  argsOf: (pod: string) => string = () => '',
): Subject {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const stdinFile = join(folder, `${slug}.json`);
  writeFileSync(stdinFile, JSON.stringify({ cniVersion: '1.0.0', name: `bench-${slug}`, ...conf }));
  return {
    name,
    verbs: ['ADD', 'DEL'],
    inParallel: true,
    etcd: undefined,
    command: (verb, pod) => ({
      argv: [path],
      stdinFile,
      env: {
        PATH: toolPath(),
        CNI_COMMAND: verb ?? '',
        CNI_CONTAINERID: containerId(`${name} ${pod}`),
        CNI_NETNS: `/var/run/netns/${pod}`,
        CNI_IFNAME: 'eth0',
        CNI_ARGS: argsOf(pod),
        CNI_PATH: `${EXECUTABLE_FOLDER}:${REFERENCE_PLUGINS}`,
      },
    }),
  };
}

/** As runtimes make them: 64 digits. The first eleven name the interface on the host, so those must differ. */
function containerId(pod: string): string {
  return createHash('sha256').update(pod).digest('hex');
}

function idle(name: string, argv: readonly string[]): Subject {
  return {
    name,
    verbs: [],
    inParallel: true,
    etcd: undefined,
    command: () => ({ argv, env: {}, stdinFile: '/dev/null' }),
  };
}
