import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { writeCluster } from '../support/cluster.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { EXECUTABLE_FOLDER, executable, runExecutable } from '../support/executable.ts';
import { makeNetns, whyNoNetns } from '../support/netns.ts';
import { run } from '../support/run.ts';

const PROGRAMS = ['calico', 'calico-ipam'] as const;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'executable-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the executable', () => {
  it('is one file with two names', () => {
    expect(statSync(executable('calico-ipam')).ino).toBe(statSync(executable('calico')).ino);
  });

  it.each(PROGRAMS)('prints its version as %s', async (name) => {
    expect(await runExecutable(name, { args: ['-v'] })).toMatchObject({
      exitCode: 0,
      stdout: `${packageJson.version}\n`,
      stderr: '',
    });
  });

  it.each(PROGRAMS)('is the program it is called as, by path, symlink or PATH: %s', async (name) => {
    symlinkSync(executable('calico'), join(folder, name));
    const calls = [
      run([executable(name), '-h']),
      run([join(folder, name), '-h']),
      run([name, '-h'], { env: { PATH: folder } }),
    ];
    const usage = { calico: 'Usage: calico ', 'calico-ipam': 'Usage of calico-ipam:' }[name];
    for (const { stdout, stderr } of await Promise.all(calls)) expect(stdout + stderr).toContain(usage);
  });

  it('prints every character of its texts', async () => {
    const { stdout } = await runExecutable('calico', { args: ['bootstrap', '-h'] });
    expect(stdout.replace(/\s+/g, ' ')).toContain('fd00::/48, …');
  });

  it('refuses a flag it does not know with exit code 2', async () => {
    expect(await runExecutable('calico', { args: ['--upgrade'] })).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('answers VERSION without a network configuration', async () => {
    const { stdout, exitCode } = await runExecutable('calico', { env: { CNI_COMMAND: 'VERSION' } });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).supportedVersions).toContain('1.1.0');
  });
});

describe('the caller’s environment', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
    await writeCluster(etcd);
  });
  afterAll(() => etcd.stop());

  /** A DEL of a container that never was: it asks etcd, so all of the program is at work. */
  function callWith(env: Readonly<Record<string, string>>) {
    const conf = {
      cniVersion: '1.0.0',
      name: 'net1',
      type: 'calico',
      datastore_type: 'etcdv3',
      etcd_endpoints: etcd.endpoint,
      nodename: 'node1',
      nodename_file_optional: true,
      log_level: 'error',
      ipam: { type: 'calico-ipam' },
    };
    return runExecutable('calico', {
      stdin: JSON.stringify(conf),
      env: {
        CNI_COMMAND: 'DEL',
        CNI_CONTAINERID: 'nobody',
        CNI_IFNAME: 'eth0',
        CNI_PATH: EXECUTABLE_FOLDER,
        ...env,
      },
    });
  }

  it.each([
    { NODE_OPTIONS: '--require /nonexistent' },
    { NODE_OPTIONS: '--no-such-flag' },
    { NODE_PENDING_DEPRECATION: '1' },
    { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:9' },
    { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' },
    { grpc_proxy: 'http://127.0.0.1:9' },
    { NODE_PATH: '/nonexistent', NODE_ENV: 'test', NODE_UNIQUE_ID: '1' },
    { NODE_TEST_CONTEXT: 'child-v8' },
    { NODE_DEBUG: 'http2,net,tls,child_process', NODE_DEBUG_NATIVE: 'ALL' },
    { NODE_EXTRA_CA_CERTS: '/nonexistent' },
    { NODE_CHANNEL_FD: '7' },
    { GRPC_TRACE: 'all', GRPC_VERBOSITY: 'DEBUG' },
    { OPENSSL_CONF: '/nonexistent', NODE_ICU_DATA: '/nonexistent' },
    { FORCE_COLOR: '1', UV_THREADPOOL_SIZE: '1', TZ: 'Nowhere', LANG: 'xx' },
  ])('changes nothing with %o', async (env) => {
    expect(await callWith(env)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('puts no warnings into a file', async () => {
    await callWith({ NODE_REDIRECT_WARNINGS: join(folder, 'warnings') });
    expect(readdirSync(folder)).not.toContain('warnings');
  });

  it('puts no coverage and no compiled code into a folder', async () => {
    await callWith({
      NODE_V8_COVERAGE: join(folder, 'coverage'),
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
    });
    expect(readdirSync(folder)).not.toContain('coverage');
    // The runtime makes the folder before our first line runs.
    if (readdirSync(folder).includes('compiled'))
      expect(
        readdirSync(join(folder, 'compiled'), { recursive: true, withFileTypes: true }).filter((entry) =>
          entry.isFile(),
        ),
      ).toEqual([]);
  });
});

/** Most of the program was evaluated when it was built, in another process: nothing of that one may show. */
describe('a process of its own', () => {
  /** Runs a shell command line in the folder; `$0` is the executable. */
  const shell = (script: string, options: Parameters<typeof run>[1] = {}) =>
    run(['sh', '-c', `cd ${folder}; ${script}`, executable('calico')], options);

  it('has its own id, time, working directory and umask', async () => {
    await bootstrap(join(folder, 'own.db'));
    const conf = {
      cniVersion: '1.0.0',
      name: 'net1',
      type: 'calico',
      datastore_type: 'embedded',
      datastore_path: join(folder, 'own.db'),
      nodename_file_optional: true,
      ipam_lock_file: join(folder, 'ipam.lock'),
      log_file_path: 'logs/calico.log',
      ipam: { type: 'calico-ipam' },
    };
    const { stderr, exitCode } = await shell('umask 027; echo $$ > pid; exec "$0"', {
      stdin: JSON.stringify(conf),
      env: {
        CNI_COMMAND: 'DEL',
        CNI_CONTAINERID: 'nobody',
        CNI_IFNAME: 'eth0',
        CNI_PATH: EXECUTABLE_FOLDER,
        TZ: 'Asia/Tokyo',
      },
    });
    expect({ stderr, exitCode }).toEqual({
      stderr: expect.stringContaining('removed the container'),
      exitCode: 0,
    });
    const log = readFileSync(join(folder, 'logs/calico.log'), 'utf8');
    const [, time = '', pid] = /^(\S+ \S+) \[INFO\]\[(\d+)\] removed the container/m.exec(log) ?? [];
    expect(pid).toBe(readFileSync(join(folder, 'pid'), 'utf8').trim());
    expect(Math.abs(Date.now() - Date.parse(`${time}Z`))).toBeLessThan(10_000);
    expect(statSync(join(folder, 'logs/calico.log')).mode & 0o777).toBe(0o640);
  });

  it('draws its own random numbers', async () => {
    const databases = ['one.db', 'two.db', 'three.db'].map((name) => join(folder, name));
    const ids = await Promise.all(databases.map(bootstrap));
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('sees the environment it was given', async () => {
    const path = join(folder, 'from-environment.db');
    const args = `bootstrap --pool 10.8.0.0/16 --node node1 --datastore-path ${path}`;
    expect((await shell(`DATASTORE_TYPE=embedded "$0" ${args}`)).stdout).toContain(
      'created cluster information',
    );
    expect((await shell(`DATASTORE_TYPE=neither "$0" ${args}`)).stderr).toContain('neither');
  });

  /** Gives the `uid` of the cluster that it makes. */
  async function bootstrap(path: string): Promise<string> {
    const flags = `--datastore-type embedded --datastore-path ${path}`;
    const { stderr } = await shell(`"$0" bootstrap --pool 10.8.0.0/16 --node node1 ${flags}`);
    expect(stderr).toBe('');
    using database = new DatabaseSync(path, { readOnly: true });
    const row = database
      .prepare(`SELECT value FROM entry WHERE key LIKE '%/clusterinformations/default'`)
      .get();
    return JSON.parse(String(row?.value)).metadata.uid;
  }
});

const whyNotAlone = whyNoNetns();

describe.skipIf(whyNotAlone !== undefined)(
  `while no name server answers${whyNotAlone === undefined ? '' : ` (skipped: ${whyNotAlone})`}`,
  () => {
    it('a call ends once it has said so, and not when the lookup does', async () => {
      using host = makeNetns('host');
      const conf = {
        cniVersion: '1.0.0',
        name: 'net1',
        type: 'calico',
        datastore_type: 'etcdv3',
        etcd_endpoints: 'http://one.test:2379,http://two.test:2379',
        nodename: 'node1',
        nodename_file_optional: true,
        ipam: { type: 'calico-ipam' },
      };
      writeFileSync(join(folder, 'conf.json'), JSON.stringify(conf));
      writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n');
      // It takes the questions: without it, they are refused at once.
      const silent = `require('dgram').createSocket('udp4').bind(53, '127.0.0.1', () => console.log('bound'))`;
      const script = `
        cd ${folder}; mount --bind resolv.conf /etc/resolv.conf; ip link set lo up
        "$1" -e "${silent}" > bound & until [ -s bound ]; do sleep 0.05; done
        "$0" < conf.json; code=$?; kill $!; exit $code`;
      const { stdout, exitCode, elapsedMs } = await run(
        ['unshare', '--mount', 'sh', '-c', script, executable('calico'), process.execPath],
        {
          netns: host.name,
          env: {
            CNI_COMMAND: 'DEL',
            CNI_CONTAINERID: 'nobody',
            CNI_IFNAME: 'eth0',
            CNI_PATH: EXECUTABLE_FOLDER,
          },
          timeoutMs: 80_000,
        },
      );
      expect(JSON.parse(stdout)).toMatchObject({
        code: 11,
        msg: expect.stringContaining('http://one.test:2379'),
      });
      expect(exitCode).toBe(1);
      expect(elapsedMs).toBeLessThan(25_000);
    });
  },
);
