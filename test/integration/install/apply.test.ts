/** An installation on real files, ended after each of its steps: what is there then, and what the next one makes of it. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secret } from '../../../src/base/secret.ts';
import { applySteps, type DoStep } from '../../../src/install/apply-steps.ts';
import { doStep } from '../../../src/install/do-step.ts';
import { installSettings } from '../../../src/install/install-settings.ts';
import { leftoversIn, namesIn, observe, observeTls } from '../../../src/install/observe-host.ts';
import { type InstallPlan, isDone, planInstall } from '../../../src/install/plan-install.ts';
import { isTemporaryName, type Step, stepsOf } from '../../../src/install/steps.ts';
import { wantedState } from '../../../src/install/wanted-state.ts';

let folder: string;
let host: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'install-'));
  host = join(folder, 'host');
  mkdirSync(host);
});
afterEach(() => rmSync(folder, { recursive: true }));

const bin = (name: string) => join(host, 'opt/cni/bin', name);
const net = (name: string) => join(host, 'etc/cni/net.d', name);
const tls = (name: string) => net(`calico-tls/${name}`);
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/** What an installation brings: everything says which version it is of. */
interface Version {
  readonly is: string;
  readonly hasTls?: boolean;
  readonly isKept?: boolean;
}

function program(version: string): string {
  const path = join(folder, `calico-${version}`);
  writeFileSync(path, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
  return path;
}

function planFor({ is, hasTls = true, isKept = false }: Version): InstallPlan {
  const settings = installSettings(
    { CNI_OLD_CONF_NAME: '05-old.conf' },
    { host, test: false, hostname: 'node1' },
  );
  const names = hasTls ? ['etcd-ca', 'etcd-cert', 'etcd-key'] : [];
  const library = join(folder, `libx-${is}`);
  writeFileSync(library, `library ${is}`);
  const wanted = wantedState({
    settings,
    binFolders: settings.places.binFolders,
    executable: { path: program(is), mode: 0o755, version: is },
    companions: [],
    libraries: [{ name: 'libx.so.1', path: library, mode: 0o644 }],
    tls: names.map((name) => ({ name, text: secret(`${name} ${is}`) })),
    foundTls: observeTls(net('calico-tls')),
    kubeconfig: secret(`kubeconfig ${is}`),
    conf: `conf ${is}`,
  });
  const folders = new Set(wanted.map(({ path }) => join(path, '..')));
  return planInstall({
    wanted,
    found: wanted.map(observe),
    leftovers: leftoversIn([...folders]),
    replacesExecutables: !isKept,
  });
}

function install(version: Version, done: DoStep = doStep): void {
  applySteps(stepsOf(planFor(version)), done);
}

/** A world that ends after so many steps: nothing that comes later happens. */
function endingAfter(count: number): DoStep {
  let left = count;
  return (step) => {
    if (left <= 0) throw new Error('killed');
    left--;
    doStep(step);
  };
}

/** What Calico's installer leaves: files that are no links, and a configuration of another name. */
function installCalicos(): void {
  mkdirSync(tls(''), { recursive: true });
  mkdirSync(bin(''), { recursive: true });
  for (const name of ['calico', 'calico-ipam'])
    writeFileSync(bin(name), '#!/bin/sh\necho old\n', { mode: 0o755 });
  for (const name of ['etcd-ca', 'etcd-cert', 'etcd-key']) writeFileSync(tls(name), `${name} old`);
  writeFileSync(net('calico-kubeconfig'), 'kubeconfig old');
  writeFileSync(net('05-old.conf'), 'conf old');
}

/** All files that anyone would read, with what they say. */
function content(): Readonly<Record<string, string | undefined>> {
  return {
    calico: read(bin('calico')),
    ipam: read(bin('calico-ipam')),
    library: read(bin('calico-lib/libx.so.1')),
    ca: read(tls('etcd-ca')),
    cert: read(tls('etcd-cert')),
    key: read(tls('etcd-key')),
    kubeconfig: read(net('calico-kubeconfig')),
    conf: read(net('10-calico.conflist')),
    oldConf: read(net('05-old.conf')),
  };
}

function temporaries(): readonly string[] {
  const all = readdirSync(host, { recursive: true, encoding: 'utf8' });
  return all.filter((path) => isTemporaryName(path.replace(/.*\//, '')));
}

function expectComplete(version: string): void {
  expect(content()).toEqual({
    calico: `#!/bin/sh\necho ${version}\n`,
    ipam: `#!/bin/sh\necho ${version}\n`,
    library: `library ${version}`,
    ca: `etcd-ca ${version}`,
    cert: `etcd-cert ${version}`,
    key: `etcd-key ${version}`,
    kubeconfig: `kubeconfig ${version}`,
    conf: `conf ${version}`,
    oldConf: undefined,
  });
  expect(temporaries()).toEqual([]);
  expect(namesIn(tls('')).filter((name) => /^\.\.[0-9a-f]{12}$/.test(name))).toHaveLength(1);
}

/** Path, inode and time of change of everything: equal if and only if nothing was touched. */
function footprint(): readonly string[] {
  const all = readdirSync(host, { recursive: true, encoding: 'utf8' }).toSorted();
  return all.map((path) => {
    const { ino, mtimeNs, ctimeNs, mode } = lstatSync(join(host, path), { bigint: true });
    return `${path} ${ino} ${mtimeNs} ${ctimeNs} ${mode}`;
  });
}

describe('an installation', () => {
  it('puts everything in its place, with the modes that secrets need', () => {
    install({ is: 'v1' });
    expectComplete('v1');
    const mode = (path: string) => (lstatSync(path).mode & 0o777).toString(8);
    expect([bin('calico'), net('10-calico.conflist'), net('calico-kubeconfig')].map(mode)).toEqual([
      '755',
      '600',
      '600',
    ]);
    expect(mode(tls(`${namesIn(tls('')).find((name) => /^\.\.[0-9a-f]{12}$/.test(name))}/etcd-key`))).toBe(
      '600',
    );
    expect(lstatSync(bin('calico-ipam')).ino).toBe(lstatSync(bin('calico')).ino);
  });

  it('changes nothing the second time, not even a time of change', () => {
    install({ is: 'v1' });
    const before = footprint();
    expect(isDone(planFor({ is: 'v1' }))).toBe(true);
    install({ is: 'v1' });
    expect(footprint()).toEqual(before);
  });

  it('repairs a file that somebody has changed, and leaves the others alone', () => {
    install({ is: 'v1' });
    writeFileSync(net('calico-kubeconfig'), 'something else');
    expect(planFor({ is: 'v1' }).changes.map(({ path }) => path)).toEqual([net('calico-kubeconfig')]);
    install({ is: 'v1' });
    expectComplete('v1');
  });

  it('takes over from what Calico has installed', () => {
    installCalicos();
    install({ is: 'new' });
    expectComplete('new');
  });

  it('leaves executables alone that are not to be replaced', () => {
    installCalicos();
    install({ is: 'new', isKept: true });
    expect(content()).toMatchObject({ calico: '#!/bin/sh\necho old\n', conf: 'conf new' });
  });

  it('removes certificates that are no longer needed, after the configuration that needed them', () => {
    install({ is: 'v1' });
    const steps = stepsOf(planFor({ is: 'v2', hasTls: false }));
    const paths = steps.map((step) => (step.do === 'rename' ? step.to : step.path));
    expect(paths.indexOf(tls('').replace(/\/$/, ''))).toBeGreaterThan(
      paths.indexOf(net('10-calico.conflist')),
    );
    install({ is: 'v2', hasTls: false });
    expect(existsSync(tls(''))).toBe(false);
  });

  it('is made of a link where the file system has no hard links', () => {
    const linkless: DoStep = (step) =>
      step.do === 'link' ? symlinkSync(step.name, step.path) : doStep(step);
    install({ is: 'v1' }, linkless);
    expect(execFileSync(bin('calico-ipam'), { encoding: 'utf8' })).toBe('v1\n');
    expect(isDone(planFor({ is: 'v1' }))).toBe(true);
  });

  it('does not take a program into use that does not start', () => {
    installCalicos();
    const broken: DoStep = (step) => {
      doStep(step);
      if (step.do === 'copy') writeFileSync(step.path, 'half of a prog');
    };
    const before = content();
    expect(() => install({ is: 'new' }, broken)).toThrow(/cannot run \S+ -v, which must print new/);
    expect(content()).toEqual(before);
    expect(temporaries()).toEqual([]);
  });
});

describe.each([
  ['an empty host', () => undefined],
  ["Calico's installation", installCalicos],
  ['an older installation', () => install({ is: 'old' })],
])('an installation over %s, killed', (_name, prepare) => {
  const stepCount = () => {
    prepare();
    const count = stepsOf(planFor({ is: 'new' })).length;
    rmSync(host, { recursive: true });
    mkdirSync(host);
    return count;
  };

  it('after any step, has left of each file the old one or the new one, and the next run completes it', () => {
    const count = stepCount();
    expect(count).toBeGreaterThan(20);
    for (let killedAfter = 0; killedAfter < count; killedAfter++) {
      rmSync(host, { recursive: true });
      mkdirSync(host);
      prepare();
      const old = content();
      const step = stepsOf(planFor({ is: 'new' }))[killedAfter];
      expect(() => install({ is: 'new' }, endingAfter(killedAfter))).toThrow('killed');
      expectOldOrNew(old, step);
      install({ is: 'new' });
      expectComplete('new');
    }
  });

  it('by a full disk at any step, tells it, and leaves nothing half-written', () => {
    const count = stepCount();
    for (let failing = 0; failing < count; failing++) {
      rmSync(host, { recursive: true });
      mkdirSync(host);
      prepare();
      const old = content();
      let at = 0;
      const fail: DoStep = (step) => {
        if (at++ === failing)
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        doStep(step);
      };
      expect(() => install({ is: 'new' }, fail)).toThrow(/^cannot .*: ENOSPC/);
      expectOldOrNew(old, undefined);
      expect(temporaries()).toEqual([]);
    }
  });
});

/** The order in which files may become new. */
const ORDER = ['library', 'calico', 'ipam', 'key', 'kubeconfig', 'conf', 'oldConf'];

function expectOldOrNew(old: ReturnType<typeof content>, step: Step | undefined): void {
  const now = content();
  const isNew = (name: string) =>
    now[name]?.includes('new') ?? (name === 'oldConf' && old[name] !== undefined);
  for (const name of Object.keys(now)) {
    const isOld = now[name] === old[name];
    expect(isOld || isNew(name), `${name} before ${JSON.stringify(step)}: ${now[name]}`).toBe(true);
  }
  const states = ORDER.map(isNew);
  expect(states, `${ORDER} before ${JSON.stringify(step)}`).toEqual(states.toSorted().reverse());
  // Where there were certificates, they change together.
  if (old.cert !== undefined)
    expect(isNew('cert') === isNew('key') && isNew('ca') === isNew('key')).toBe(true);
  // Nothing but configurations may look like one.
  const confs = namesIn(net('')).filter((name) => /\.(?:conf|conflist|json)$/.test(name));
  expect(['05-old.conf', '10-calico.conflist']).toEqual(expect.arrayContaining(confs));
}
