/** What is measured: our executable, the reference plugins, and processes that do nothing. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXECUTABLE_FOLDER, executable } from '../test/support/executable.ts';
import { REFERENCE_PLUGINS, toolPath } from '../test/support/tools.ts';
import type { Command } from './measure.ts';

export type Verb = 'ADD' | 'DEL';

/** What every call is compared with: it does nothing but start and end. */
export const EMPTY_PROCESS = 'an empty Node.js';

export interface Subject {
  readonly name: string;
  /** Empty for one that networks nothing: it is just run. */
  readonly verbs: readonly Verb[];
  /** The command for one pod. */
  command(verb: Verb | undefined, pod: string): Command;
}

/** Executables, network configurations and idle processes, in the order of the tables. */
export function subjects(folder: string, etcdEndpoint: string, embeddedPath: string): readonly Subject[] {
  const calico = {
    type: 'calico',
    datastore_type: 'etcdv3',
    etcd_endpoints: etcdEndpoint,
    nodename: 'node1',
    nodename_file_optional: true,
    log_level: 'error',
    ipam: { type: 'calico-ipam' },
  };
  const embedded = { ...calico, datastore_type: 'embedded', datastore_path: embeddedPath };
  const ptp = {
    type: 'ptp',
    ipam: { type: 'host-local', subnet: '10.22.0.0/16', dataDir: join(folder, 'host-local') },
  };
  return [
    plugin(folder, 'calico, etcd', executable('calico'), calico),
    plugin(folder, 'calico, embedded', executable('calico'), embedded),
    plugin(folder, 'ptp + host-local', join(REFERENCE_PLUGINS, 'ptp'), ptp),
    idle(EMPTY_PROCESS, [process.execPath, '-e', '0']),
    idle('/bin/true', ['/bin/true']),
  ];
}

function plugin(folder: string, name: string, path: string, conf: { readonly type: string }): Subject {
  const slug = name.replace(/[^a-z0-9]+/g, '-');
  const stdinFile = join(folder, `${slug}.json`);
  writeFileSync(stdinFile, JSON.stringify({ cniVersion: '1.0.0', name: `bench-${slug}`, ...conf }));
  return {
    name,
    verbs: ['ADD', 'DEL'],
    command: (verb, pod) => ({
      argv: [path],
      stdinFile,
      env: {
        PATH: toolPath(),
        CNI_COMMAND: verb ?? '',
        CNI_CONTAINERID: containerId(`${name} ${pod}`),
        CNI_NETNS: `/var/run/netns/${pod}`,
        CNI_IFNAME: 'eth0',
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
  return { name, verbs: [], command: () => ({ argv, env: {}, stdinFile: '/dev/null' }) };
}
