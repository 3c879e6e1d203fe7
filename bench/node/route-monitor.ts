/** Hears of every route that a host gets or loses, and when. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestNetns } from '../../test/support/netns.ts';
import { toolPath } from '../../test/support/tools.ts';

export interface RouteMonitor extends Disposable {
  /** When (`performance.now()`) a line comes that the pattern matches; rejects after 30 s. Only lines from now on count. */
  next(pattern: RegExp): Promise<number>;
  /** When so many lines have come that the pattern matches. */
  count(pattern: RegExp, wanted: number): Promise<number>;
}

const LIMIT_MS = 6_000;
/** Thousands of routes come at once. */
const BUFFER_BYTES = 16 << 20;

/** Resolves when it hears. */
export async function monitorRoutes(netns: TestNetns): Promise<RouteMonitor> {
  const argv = ['netns', 'exec', netns.name, 'ip', '-4', '-rcvbuf', String(BUFFER_BYTES), 'monitor', 'route'];
  const child = spawn('ip', argv, { env: { PATH: toolPath() }, stdio: ['ignore', 'pipe', 'inherit'] });
  const listeners = new Set<(line: string, atMs: number) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const atMs = performance.now();
    for (const listener of listeners) listener(line, atMs);
  });
  function count(pattern: RegExp, wanted: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let left = wanted;
    const listener = (line: string, atMs: number) => {
      if (pattern.test(line)) left -= 1;
      if (left === 0) resolve(atMs);
    };
    const alarm = setTimeout(
      () => reject(new Error(`${left} of ${wanted} times not heard: ${pattern}`)),
      LIMIT_MS,
    );
    listeners.add(listener);
    return promise.finally(() => {
      clearTimeout(alarm);
      listeners.delete(listener);
    });
  }
  const monitor: RouteMonitor = {
    count,
    next: (pattern) => count(pattern, 1),
    [Symbol.dispose]: () => void child.kill(),
  };
  await untilHeard(netns, monitor);
  return monitor;
}

async function untilHeard(netns: TestNetns, monitor: RouteMonitor): Promise<void> {
  const heard = monitor.next(/192\.0\.2\.77/);
  const knocking = setInterval(() => {
    netns.sh(
      'ip route add blackhole 192.0.2.77 proto static; ip route del blackhole 192.0.2.77 proto static',
    );
  }, 20);
  await heard.finally(() => clearInterval(knocking));
}
