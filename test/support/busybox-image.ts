/** A container image that holds nothing but a static busybox, made here: nothing is downloaded. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireTool, toolPath } from './tools.ts';

/** What containers and sandboxes name it. Unless told what to run, it sleeps, as a sandbox should. */
export const BUSYBOX_IMAGE = 'localhost/busybox:test';

/** Writes the image as `docker save` does, in `folder`; gives the path of the tar file. */
export function writeBusyboxImage(folder: string): string {
  const root = join(folder, 'root');
  makeRoot(root);
  const image = join(folder, 'image');
  mkdirSync(image);
  tar(root, join(image, 'layer.tar'));
  writeFileSync(join(image, 'config.json'), JSON.stringify(config(join(image, 'layer.tar'))));
  const manifest = [{ Config: 'config.json', RepoTags: [BUSYBOX_IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest));
  tar(image, join(folder, 'image.tar'));
  return join(folder, 'image.tar');
}

/** busybox under all its names, and a page for its httpd. */
function makeRoot(root: string): void {
  const busybox = requireTool('busybox');
  for (const folder of ['bin', 'etc', 'tmp', 'www']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const name of applets.filter((applet) => applet !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'www/index.html'), 'hello\n');
}

/** An image configuration, as the OCI image format has it. */
function config(layer: string): object {
  const digest = createHash('sha256').update(readFileSync(layer)).digest('hex');
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['sleep', '2147483647'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
}

function tar(folder: string, file: string): void {
  execFileSync('tar', ['-C', folder, '-cf', file, '.'], { env: { PATH: toolPath() } });
}
