/** Both datastores a plugin can be told to use, so that one test can be run on each. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/datastore/sqlite/sqlite-store.ts';
import { EMPTY_VIEW, entryAt, withSnapshot } from '../../src/datastore/view.ts';
import { deadline, realClock } from './clock.ts';
import { startEtcd } from './etcd.ts';
import type { EtcdData } from './etcd-data.ts';

export interface TestDatastore extends Pick<EtcdData, 'put' | 'list'> {
  /** What a network configuration says to use it. */
  readonly conf: object;
  /** What `calico bootstrap` is told to use it. */
  readonly flags: readonly string[];
  stop(): Promise<void>;
}

export const DATASTORES = ['etcd', 'the embedded store'] as const;

export async function startDatastore(which: (typeof DATASTORES)[number]): Promise<TestDatastore> {
  return which === 'etcd' ? startOnEtcd() : startEmbedded();
}

async function startOnEtcd(): Promise<TestDatastore> {
  const etcd = await startEtcd();
  const { endpoint } = etcd;
  return {
    ...etcd,
    conf: { datastore_type: 'etcdv3', etcd_endpoints: endpoint },
    flags: ['--etcd-endpoints', endpoint],
  };
}

async function startEmbedded(): Promise<TestDatastore> {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  const path = join(folder, 'calico.db');
  const store = openSqliteStore(path, realClock);
  return {
    conf: { datastore_type: 'embedded', datastore_path: path },
    flags: ['--datastore-type', 'embedded', '--datastore-path', path],
    put: async (key, value) => {
      const view = withSnapshot(EMPTY_VIEW, [{ key }], await store.read([{ key }], deadline()));
      const expect = [{ key, revision: entryAt(view, key)?.revision ?? '0' }];
      const commit = await store.commit({ expect, write: [{ type: 'put', key, value }] }, deadline());
      if (!commit.committed) throw new Error(`somebody else wrote ${key}`);
    },
    list: async (prefix) => {
      const { entries } = await store.read([{ prefix }], deadline());
      return new Map((entries[0] ?? []).map(({ key, value }) => [key, value]));
    },
    stop: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
