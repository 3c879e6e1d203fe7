/** Lets a process stand still, as a stuck one does. */

import { readdirSync, readFileSync } from 'node:fs';

/** Returns when its last thread stands still: until then, another one may go on answering. SIGCONT lets it go on. */
export function pauseProcess(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const threads = `/proc/${pid}/task`;
  const isStopped = (thread: string): boolean => {
    try {
      return / [TZ] /.test(readFileSync(`${threads}/${thread}/stat`, 'utf8').replace(/.*\)/, ''));
    } catch {
      // It ended meanwhile.
      return true;
    }
  };
  while (!readdirSync(threads).every(isStopped))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
