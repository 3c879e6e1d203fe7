/** Folders in which a program has mounted something. */

import { readFileSync, rmSync } from 'node:fs';
import { output } from './run.ts';

/** Removes the folder, and before that unmounts whatever is mounted below. */
export async function removeWithMounts(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const points = mounts
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  // The last one may be on top of, or inside of, an earlier one.
  for (const point of points.reverse()) await output(['umount', '--lazy', point]);
  // Containers write logs to the end.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}
