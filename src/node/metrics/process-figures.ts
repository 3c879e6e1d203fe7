/** What the process takes of the machine, with the names that Prometheus has for it. */

import { readdirSync, readFileSync } from 'node:fs';
import { gauge, type MetricFamily } from './metric-family.ts';

/** The kernel counts time in hundredths of a second wherever programs can see it. */
const TICKS_PER_SECOND = 100;

/** Without what /proc does not say. */
export function processFigures(): readonly MetricFamily[] {
  // The name, in parentheses, may hold anything.
  const stat = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const field = (number: number) => Number(stat[number - 3]);
  return [
    {
      ...{ type: 'counter', name: 'process_cpu_seconds_total', help: 'Time of the processors, in seconds.' },
      samples: [{ labels: {}, value: (field(14) + field(15)) / TICKS_PER_SECOND }],
    },
    gauge('process_resident_memory_bytes', 'Memory in use.', residentBytes()),
    gauge('process_virtual_memory_bytes', 'Size of the address space.', field(23)),
    gauge('process_open_fds', 'Open files.', readdirSync('/proc/self/fd').length),
    gauge(
      'process_start_time_seconds',
      'When the process began, in seconds since 1970.',
      bootSeconds() + field(22) / TICKS_PER_SECOND,
    ),
  ];
}

function residentBytes(): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return kilobytes === undefined ? Number.NaN : Number(kilobytes) * 1024;
}

function bootSeconds(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
}
