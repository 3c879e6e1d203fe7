/** `calico install`, `uninstall` and `-t`, on folders that look like a host and a datastore that is real. */

import { spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { executable } from '../support/executable.ts';
import { makeLibraryHost } from '../support/library-host.ts';
import { type Finished, output, run } from '../support/run.ts';
import { whyNotRoot } from '../support/tools.ts';

const TEMPLATE = JSON.stringify({
  name: 'test',
  cniVersion: '1.0.0',
  plugins: [
    {
      type: 'calico',
      datastore_type: '__DATASTORE_TYPE__',
      etcd_endpoints: '__ETCD_ENDPOINTS__',
      nodename: '__KUBERNETES_NODE_NAME__',
      nodename_file_optional: true,
      mtu: '__CNI_MTU__',
      ipam: { type: 'calico-ipam' },
    },
  ],
}).replace('"__CNI_MTU__"', '__CNI_MTU__');

const why = whyNotRoot();

describe.skipIf(why !== undefined)(`calico install${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let etcd: Etcd;
  let folder: string;
  let host: string;

  beforeAll(async () => {
    etcd = await startEtcd();
    const pool = ['--pool', '10.8.0.0/16', '--node', 'node1', '--etcd-endpoints', etcd.endpoint];
    await output([executable('calico'), 'bootstrap', ...pool]);
  });
  afterAll(() => etcd.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'install-'));
    host = join(folder, 'host');
    makeLibraryHost(host, executable('calico'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const env = (changes: Readonly<Record<string, string>> = {}) => ({
    CNI_NETWORK_CONFIG: TEMPLATE,
    ETCD_ENDPOINTS: etcd.endpoint,
    KUBERNETES_NODE_NAME: 'node1',
    TLS_ASSETS_DIR: join(folder, 'secrets'),
    ...changes,
  });
  const install = (changes: Readonly<Record<string, string>> = {}, ...flags: readonly string[]) =>
    run([executable('calico'), 'install', '--host', host, ...flags], { env: env(changes) });
  const bin = (name: string) => join(host, 'opt/cni/bin', name);
  const net = (name: string) => join(host, 'etc/cni/net.d', name);
  const secrets = (is: string) => {
    mkdirSync(join(folder, 'secrets'), { recursive: true });
    for (const name of ['etcd-ca', 'etcd-cert', 'etcd-key'])
      writeFileSync(join(folder, 'secrets', name), `${name} ${is}`);
  };

  function succeeded(finished: Finished): string {
    expect(finished).toMatchObject({ exitCode: 0, stderr: '' });
    return finished.stdout;
  }

  /** From the root of the host. Links are not followed, as Node's own recursion does: some lead to this very machine. */
  function paths(folder = host): readonly string[] {
    return readdirSync(folder, { withFileTypes: true })
      .flatMap((entry) => {
        const path = join(folder, entry.name);
        return [relative(host, path), ...(entry.isDirectory() ? paths(path) : [])];
      })
      .toSorted();
  }

  /** All that is on the host, with what would tell that it was touched. */
  function footprint(): readonly string[] {
    return paths().map((path) => {
      const { ino, mtimeNs, size, mode } = lstatSync(join(host, path), { bigint: true });
      return `${path} ${ino} ${mtimeNs} ${size} ${mode}`;
    });
  }

  it('installs, says what, and the second time changes nothing', async () => {
    const first = succeeded(await install());
    expect(first).toContain(`copy    ${executable('calico')} to ${bin('calico')} (mode 0755)\n`);
    expect(first.trimEnd().split('\n').at(-1)).toBe(`write   ${net('10-calico.conflist')} (mode 0600)`);
    expect(JSON.parse(readFileSync(net('10-calico.conflist'), 'utf8')).plugins[0]).toMatchObject({
      etcd_endpoints: etcd.endpoint,
      nodename: 'node1',
      mtu: 1500,
    });
    expect(statSync(bin('calico')).ino).toBe(statSync(bin('calico-ipam')).ino);
    expect(await output([bin('calico-ipam'), '-v'])).toMatch(/^\d+\.\d+\.\d+\n$/);
    const before = footprint();
    expect(succeeded(await install())).toBe('everything is in place already: nothing has changed\n');
    expect(footprint()).toEqual(before);
  });

  it('only says it with --dry-run, also where the datastore is down', async () => {
    const before = footprint();
    const planned = succeeded(await install({ ETCD_ENDPOINTS: 'http://127.0.0.1:1' }, '--dry-run'));
    expect(planned).toContain(`write   ${net('10-calico.conflist')} (mode 0600)\n`);
    expect(footprint()).toEqual(before);
  });

  it.each([
    ['the datastore is down', { ETCD_ENDPOINTS: 'http://127.0.0.1:1' }, /127\.0\.0\.1:1.*ECONNREFUSED/s],
    ['there are no endpoints', { ETCD_ENDPOINTS: '' }, /no value for __ETCD_ENDPOINTS__\nset ETCD_ENDPOINTS/],
    [
      'the template is no JSON',
      { CNI_NETWORK_CONFIG: '{"a":' },
      /template in CNI_NETWORK_CONFIG is not JSON/,
    ],
    ['the template is a list', { CNI_NETWORK_CONFIG: '[]' }, /must be a JSON object/],
    [
      'the template is not there',
      { CNI_NETWORK_CONFIG_FILE: '/nowhere/x' },
      /cannot read the template .*\/nowhere\/x/,
    ],
    [
      'the template asks for what nobody knows',
      { CNI_NETWORK_CONFIG: '{"a":"__FOO__"}' },
      /nothing is known to put in place of __FOO__/,
    ],
    [
      'the configuration is none of ours',
      { CNI_NETWORK_CONFIG: '{"name":"x","type":"calico","mtu":"big","ipam":{"type":"calico-ipam"}}' },
      /mtu must be/,
    ],
    ['a variable is wrong', { TEST_FILE_PERMISSION: 'rw' }, /invalid TEST_FILE_PERMISSION "rw"/],
  ])('writes nothing when %s', async (_name, changes, message) => {
    const before = footprint();
    const { exitCode, stdout, stderr } = await install(changes);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toMatch(message);
    expect(footprint()).toEqual(before);
  });

  it('asks no datastore with --no-test', async () => {
    succeeded(await install({ ETCD_ENDPOINTS: 'http://127.0.0.1:1' }, '--no-test'));
    expect(existsSync(net('10-calico.conflist'))).toBe(true);
  });

  it.each(['opt/cni/bin', 'etc/cni/net.d'])('writes nothing when %s is mounted read-only', async (path) => {
    mkdirSync(join(host, path), { recursive: true });
    const script = `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"`;
    const before = footprint();
    const { exitCode, stderr } = await run(
      [
        'unshare',
        '--mount',
        'sh',
        '-c',
        script,
        'sh',
        join(host, path),
        executable('calico'),
        'install',
        '--host',
        host,
      ],
      { env: env() },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Error: cannot install the .*${path}: it is mounted read-only`));
    expect(footprint()).toEqual(before);
  });

  it('writes nothing on a host whose C library is missing', async () => {
    rmSync(host, { recursive: true });
    makeLibraryHost(host, executable('calico'), ['libc.so.6']);
    const before = footprint();
    const { exitCode, stderr } = await install();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('the host lacks shared libraries that the executable needs: libc.so.6');
    expect(footprint()).toEqual(before);
  });

  it('brings what else the host lacks, and the executable runs there', async () => {
    rmSync(host, { recursive: true });
    makeLibraryHost(host, executable('calico'), ['libstdc++.so.6', 'libatomic.so.1', 'libgcc_s.so.1']);
    succeeded(await install());
    expect(readdirSync(bin('calico-lib')).toSorted()).toEqual([
      'libatomic.so.1',
      'libgcc_s.so.1',
      'libstdc++.so.6',
    ]);
    // Where the executable is, the loader learns from /proc.
    const script = 'mount -t proc none "$1/proc" && exec chroot "$1" /opt/cni/bin/calico -v';
    const runThere = () => run(['unshare', '--mount', 'sh', '-c', script, 'sh', host]);
    expect(await runThere()).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/^\d/) });
    rmSync(bin('calico-lib'), { recursive: true });
    expect(await runThere()).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining('libatomic.so.1'),
    });
  });

  it('killed at any time, it leaves what the next one completes', { timeout: 120_000 }, async () => {
    for (const delayMs of [50, 100, 150, 200, 250, 300, 400, 500]) {
      for (const path of ['opt', 'etc/cni']) rmSync(join(host, path), { recursive: true, force: true });
      const child = spawn(executable('calico'), ['install', '--host', host], {
        env: { PATH: process.env.PATH, ...env() },
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      await sleep(delayMs);
      child.kill('SIGKILL');
      await ended;
      if (existsSync(net('10-calico.conflist'))) {
        expect(JSON.parse(readFileSync(net('10-calico.conflist'), 'utf8')).name).toBe('test');
        expect(statSync(bin('calico')).size).toBe(statSync(executable('calico')).size);
      }
      succeeded(await install());
      expect(statSync(bin('calico')).size).toBe(statSync(executable('calico')).size);
      expect(paths().filter((path) => path.endsWith('.calico-install'))).toEqual([]);
    }
  });

  it('stays with SLEEP=true, takes over new secrets, and ends when it is told', {
    timeout: 60_000,
  }, async () => {
    secrets('old');
    const child = spawn(executable('calico'), ['install', '--host', host, '--no-test'], {
      env: { PATH: process.env.PATH, ...env({ SLEEP: 'true' }) },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const key = () => readFileSync(net('calico-tls/etcd-key'), 'utf8');
    // The configuration comes last: the first installation is not over.
    await vi.waitFor(() => expect(key()).toBe('etcd-key old'), { timeout: 20_000, interval: 1 });
    secrets('new');
    await vi.waitFor(() => expect(key()).toBe('etcd-key new'), { timeout: 20_000, interval: 200 });
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('writes a kubeconfig with a token of its own in a pod of Kubernetes', async () => {
    const account = join(folder, 'account');
    mkdirSync(account);
    for (const [name, text] of [
      ['token', 'mounted.token'],
      ['ca.crt', '-----BEGIN CERTIFICATE-----\n'],
      ['namespace', 'kube-system'],
    ] as const)
      writeFileSync(join(account, name), text);
    // Where a pod has it, for this process alone.
    const script = `mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && cp -r "$1" /run/secrets/kubernetes.io/serviceaccount && shift && exec "$@"`;
    const asPod = (changes: Readonly<Record<string, string>>, ...flags: readonly string[]) =>
      run(
        [
          'unshare',
          '--mount',
          'sh',
          '-c',
          script,
          'sh',
          account,
          executable('calico'),
          'install',
          '--host',
          host,
          ...flags,
        ],
        { env: env(changes) },
      );
    const noServer = await asPod({});
    expect(noServer.stderr).toContain('KUBERNETES_SERVICE_HOST is not set');
    const server = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' };
    const planned = await asPod(server, '--dry-run');
    expect(planned.stdout).toContain(`write   ${net('calico-kubeconfig')} (mode 0600)\n`);
    const down = await asPod({ ...server, SKIP_TLS_VERIFY: 'true' });
    expect(down.exitCode).toBe(1);
    expect(down.stderr).toMatch(
      /a token of service account kube-system\/calico-cni-plugin from https:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
    );
    expect(down.stderr).not.toContain('mounted.token');
    expect(existsSync(net('calico-kubeconfig'))).toBe(false);
  });

  it('uninstall removes it all, and only that', async () => {
    const before = paths();
    secrets('x');
    succeeded(await install({}, '--no-test'));
    writeFileSync(bin('portmap'), '');
    writeFileSync(net('87-podman.conflist'), '{}');
    const uninstall = (...flags: readonly string[]) =>
      run([executable('calico'), 'uninstall', '--host', host, ...flags], { env: env() });
    const full = footprint();
    expect(succeeded(await uninstall('--dry-run'))).toContain(`remove  ${net('10-calico.conflist')}\n`);
    expect(footprint()).toEqual(full);
    expect(succeeded(await uninstall())).toMatch(/^remove {2}\S+10-calico\.conflist\n/);
    const own = ['opt/cni/bin/portmap', 'etc/cni/net.d/87-podman.conflist'];
    const folders = ['opt', 'opt/cni', 'opt/cni/bin', 'etc/cni', 'etc/cni/net.d'];
    expect(paths()).toEqual([...before, ...own, ...folders].toSorted());
  });

  it('uninstall leaves the executables of others', async () => {
    mkdirSync(bin(''), { recursive: true });
    mkdirSync(net(''), { recursive: true });
    writeFileSync(bin('calico'), 'another');
    const { stdout } = await run([executable('calico'), 'uninstall', '--host', host], { env: env() });
    expect(stdout).toContain(`left    ${bin('calico')}: it is not this program`);
    expect(existsSync(bin('calico'))).toBe(true);
  });

  describe('calico -t', () => {
    const conf = (changes: object = {}) =>
      JSON.stringify({
        name: 'n',
        type: 'calico',
        etcd_endpoints: etcd.endpoint,
        ipam: { type: 'calico-ipam' },
        ...changes,
      });
    const test = (stdin: string, ...args: readonly string[]) =>
      run([executable('calico'), ...args], { stdin, env: {} });

    it('is silent when the datastore answers and is ready', async () => {
      expect(await test(conf(), '-t')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
      expect(await test(conf(), 'test-connection')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    });

    it.each([
      ['the datastore is down', { etcd_endpoints: 'http://127.0.0.1:1' }, /ECONNREFUSED/],
      [
        'the kubeconfig is not there',
        { kubernetes: { kubeconfig: '/nowhere' } },
        /cannot read kubeconfig \/nowhere/,
      ],
      ['the configuration is wrong', { mtu: 'big' }, /mtu must be/],
    ])("prints Calico's error when %s", async (_name, changes, details) => {
      const { exitCode, stdout, stderr, elapsedMs } = await test(conf(changes), '-t');
      expect([exitCode, stderr]).toEqual([1, '']);
      expect(stdout).toMatch(/^\{\n {4}"code": 100,\n/);
      expect(JSON.parse(stdout)).toEqual({
        code: 100,
        msg: 'data store connection failed',
        details: expect.stringMatching(details),
      });
      expect(elapsedMs).toBeLessThan(15_000);
    });

    it('ends within 2 seconds or so when etcd is silent', async () => {
      etcd.pause();
      try {
        const { exitCode, stdout, elapsedMs } = await test(conf(), '-t');
        expect([exitCode, JSON.parse(stdout).code]).toEqual([1, 100]);
        expect(elapsedMs).toBeLessThan(15_000);
      } finally {
        etcd.resume();
      }
    });

    it('needs no CNI environment, and -v wins', async () => {
      expect((await test('', '-v', '-t')).stdout).toMatch(/^\d/);
    });

    it("is a flag that calico-ipam does not have, as Calico's", async () => {
      const { exitCode, stdout } = await run([executable('calico-ipam'), '-t'], { stdin: conf() });
      expect([exitCode, stdout]).toEqual([2, '']);
    });
  });
});
