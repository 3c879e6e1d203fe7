/** The licences of everything inside the executable: who gives it on must give these on, too. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Writes the licences of the packages that the files belong to, and of Node.js, into one text file. */
export function writeLicenses(root: string, bundledFiles: readonly string[], outfile: string): void {
  const folders = new Set([nodeFolder(), ...bundledFiles.flatMap((path) => packageFolder(join(root, path)))]);
  const texts = [...folders].toSorted().map(licenseOf);
  writeFileSync(outfile, texts.join(`\n${'='.repeat(80)}\n\n`));
}

/** The npm package that the running Node.js is. */
function nodeFolder(): string {
  return dirname(dirname(process.execPath));
}

/** The folder of the innermost package; none for a file of our own. */
function packageFolder(path: string): readonly string[] {
  const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
  return folder === undefined ? [] : [folder];
}

function licenseOf(folder: string): string {
  const { name, version, license }: PackageFacts = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(folder).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return `${name} ${version} (${license ?? 'see below'})\n\n${texts.join('\n\n')}\n`;
}
