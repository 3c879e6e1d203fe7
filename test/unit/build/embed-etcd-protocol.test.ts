import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { embedEtcdProtocol } from '../../../build/embed-etcd-protocol.ts';
import { REPOSITORY } from '../../support/tools.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Bundles a program that uses an `etcd3` with these files; gives the bundle or the first error. */
async function bundled(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries({ ...files, 'main.js': `require('etcd3')` })) {
    const path = join(folder, name === 'main.js' ? name : `node_modules/etcd3/${name}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  try {
    const { outputFiles } = await build({
      entryPoints: [join(folder, 'main.js')],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      external: ['@grpc/*', 'cockatiel'],
      logLevel: 'silent',
      absWorkingDir: folder,
      plugins: [embedEtcdProtocol()],
    });
    return outputFiles.map(({ text }) => text).join('');
  } catch (failure) {
    return String(failure);
  }
}

const installed = (path: string) => readFileSync(join(REPOSITORY, 'node_modules/etcd3', path), 'utf8');
const protocol = Object.fromEntries(
  ['rpc', 'kv', 'auth'].map((name) => [`proto/${name}.proto`, installed(`proto/${name}.proto`)]),
);
const pool = installed('lib/connection-pool.js').replace(/require\("\.\/[^"]*"\)/g, '{}');
const index = `require('./lib/connection-pool')`;

describe('embedEtcdProtocol()', () => {
  it('puts the protocol where the library read a file', async () => {
    const bundle = await bundled({ 'index.js': index, 'lib/connection-pool.js': pool, ...protocol });
    expect(bundle).not.toContain('rpc.proto');
    expect(bundle).toContain('fromJSON');
    // In the case of the protocol, not in that of JavaScript.
    expect(bundle).toContain('range_end');
    expect(bundle).not.toContain('rangeEnd');
  });

  it.each([
    ['reads another file', pool.replace('rpc.proto', 'all.proto')],
    ['reads it in another way', pool.replace('loadSync)(', 'load)(')],
    ['no longer keeps the case of names', pool.replace('keepCase: true', 'keepCase: false')],
  ])('fails the build when the library %s', async (_, changed) => {
    expect(changed).not.toBe(pool);
    const error = await bundled({ 'index.js': index, 'lib/connection-pool.js': changed, ...protocol });
    expect(error).toMatch(/does not read rpc\.proto as expected: adapt build\/embed-etcd-protocol\.ts/);
  });

  it('fails the build when the library has no such file any more', async () => {
    expect(await bundled({ 'index.js': 'exports.Etcd3 = 1' })).toMatch(/has no lib\/connection-pool\.js/);
  });
});
