/**
 * `make image`: dist/calico-image.tar, a container image in the layout of the OCI (image-spec 1.1) that containerd imports
 * and registries take. It is made from nothing: the executable, the shared libraries it needs, and what their licences ask
 * for. No registry, no daemon and no root are needed.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import packageJson from '../package.json' with { type: 'json' };
import { findLibrary, readElfFile } from '../src/install/find-libraries.ts';

const NAME = `localhost/calico-cni:${packageJson.version}`;
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
writeImage(join(dist, 'calico'), join(dist, 'calico-image.tar'));

function writeImage(executable: string, outfile: string): void {
  // In the same folder, so that links and renames work.
  const folder = mkdtempSync(join(dirname(outfile), '.image-'));
  try {
    makeFiles(executable, join(folder, 'files'));
    makeLayout(tar(join(folder, 'files'), join(folder, 'layer.tar')), join(folder, 'layout'));
    tar(join(folder, 'layout'), join(folder, 'image.tar'));
    renameSync(join(folder, 'image.tar'), outfile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeFiles(executable: string, files: string): void {
  mkdirSync(join(files, 'usr/bin'), { recursive: true });
  linkSync(executable, join(files, 'usr/bin/calico'));
  // What manifests call that were written for Calico's image.
  mkdirSync(join(files, 'opt/cni/bin'), { recursive: true });
  symlinkSync('/usr/bin/calico', join(files, 'opt/cni/bin/install'));
  addLibraries(executable, files);
  if (existsSync(AUTHORITIES)) add(AUTHORITIES, join(files, AUTHORITIES));
  add(join(root, 'LICENSE'), join(files, 'licenses/LICENSE'));
  add(join(dist, 'LICENSES.txt'), join(files, 'licenses/LICENSES.txt'));
}

/** Where they are on this machine: its loader is among them, and knows no other place. */
function addLibraries(executable: string, files: string): void {
  const elf = readElfFile(executable);
  if (elf?.interpreter === undefined)
    throw new Error(`${executable} is no executable: run "make build" first`);
  for (const name of elf.needed) {
    const library = findLibrary('/', name, elf.machine);
    if (library === undefined) throw new Error(`this machine has no ${name}, which the executable needs`);
    const isLoader = name === basename(elf.interpreter);
    add(library.path, join(files, isLoader ? elf.interpreter : join(dirname(library.path), name)));
    addCopyright(library.path, files);
  }
}

/** Debian's packages say whose a library is, and on what terms it may be given on. */
function addCopyright(library: string, files: string): void {
  const found = packageOf(library);
  const copyright = `/usr/share/doc/${found}/copyright`;
  if (found !== undefined && existsSync(copyright)) add(copyright, join(files, 'licenses', `${found}.txt`));
}

/** `undefined` on other distributions. */
function packageOf(path: string): string | undefined {
  // dpkg knows files by the name that they were installed by, with /lib or with /usr/lib.
  for (const name of [path, path.replace(/^\/usr/, '')]) {
    try {
      const said = execFileSync('dpkg', ['-S', name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return /^[^:]+/.exec(said)?.[0];
    } catch {
      // No dpkg, or it does not know that name.
    }
  }
  return undefined;
}

function add(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** The same bytes for the same files, whenever and by whomever it is made; gives its path. */
function tar(folder: string, file: string): string {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  execFileSync('tar', [...same, '-C', folder, '-cf', file, '.']);
  return file;
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

function makeLayout(layer: string, folder: string): void {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const store = (bytes: Uint8Array): Blob => {
    const hash = sha256(bytes);
    writeFileSync(join(blobs, hash), bytes);
    return { digest: `sha256:${hash}`, size: bytes.length };
  };
  const storeJson = (value: object) => store(Buffer.from(JSON.stringify(value)));
  const files = readFileSync(layer);
  const config = storeJson(imageConfig(`sha256:${sha256(files)}`));
  const manifest = storeJson({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...store(gzipSync(files, { level: 6 })) },
    ],
  });
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(folder, 'index.json'), JSON.stringify(imageIndex(manifest)));
}

function imageConfig(diffId: string): object {
  return {
    architecture: ARCHITECTURE,
    os: 'linux',
    config: {
      Entrypoint: ['/usr/bin/calico', 'install'],
      WorkingDir: '/',
      Labels: {
        'org.opencontainers.image.title': packageJson.name,
        'org.opencontainers.image.description': packageJson.description,
        'org.opencontainers.image.version': packageJson.version,
        'org.opencontainers.image.licenses': packageJson.license,
      },
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}

/** The name is in the annotation that containerd reads, and in the one of the specification. */
function imageIndex(manifest: Blob): object {
  return {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...manifest,
        platform: { architecture: ARCHITECTURE, os: 'linux' },
        annotations: {
          'io.containerd.image.name': NAME,
          'org.opencontainers.image.ref.name': packageJson.version,
        },
      },
    ],
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
