import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle, bundleInParts } from '../../../build/bundle.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';
import { output } from '../../support/run.ts';
import { REPOSITORY } from '../../support/tools.ts';

/** Beyond 2^53: a client that reads it as a JavaScript number gives another one back. */
const LEASE = '7587869123456789013';

let etcd: Etcd;
let folder: string;
beforeAll(async () => {
  etcd = await startEtcd();
  // Inside the repository, so that the program finds its packages.
  folder = mkdtempSync(join(REPOSITORY, 'node_modules/.bundle-test-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await etcd.stop();
});

it('a bundled etcd client works far from its packages and keeps 64-bit numbers', async () => {
  const entry = join(folder, 'main.ts');
  writeFileSync(
    entry,
    `import { Etcd3 } from 'etcd3';
     const client = new Etcd3({ hosts: '${etcd.endpoint}' });
     client.leaseClient.leaseGrant({ TTL: 60, ID: '${LEASE}' })
       .then(({ ID }) => process.stdout.write(ID))
       .finally(() => client.close());`,
  );
  const bundled = join(etcd.directory, 'bundled.cjs');
  await bundle(entry, bundled);
  expect(await output([process.execPath, bundled])).toBe(LEASE);
});

it('the program holds no gRPC library, which would be part of every call', async () => {
  const [outfile, parts] = [join(folder, 'program.cjs'), join(folder, 'parts')];
  const { files } = await bundleInParts('src/main.ts', outfile, parts, ['./operator.ts']);
  expect(files).toContainEqual(expect.stringMatching(/src\/main\.ts$/));
  expect(files.filter((path) => /node_modules\/(?:etcd3|@grpc|protobufjs)\//.test(path))).toEqual([]);
});
