/** One log file, many processes. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { run } from '../../support/run.ts';

const PROCESSES = 6;
const LINES = 2_000;

it('loses no line and tears none when many processes put the file aside', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const writer = join(import.meta.dirname, 'log-writer.ts');
  const runs = Array.from({ length: PROCESSES }, (_unused, index) =>
    run([
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      writer,
      join(folder, 'cni.log'),
      `p${index}`,
      `${LINES}`,
    ]),
  );
  for (const { exitCode, stderr } of await Promise.all(runs)) expect(exitCode, stderr).toBe(0);

  const files = readdirSync(folder);
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
  const written = Array.from({ length: PROCESSES }, (_unused, index) =>
    Array.from({ length: LINES }, (_other, number) => `p${index} ${number}`),
  ).flat();
  expect(lines.toSorted()).toEqual(written.toSorted());
  // As often as it must for so much text, were it not that nobody waits for the lock.
  expect(files.length).toBeGreaterThan(5);
});
