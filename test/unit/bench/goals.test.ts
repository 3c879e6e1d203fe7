import { expect, it } from 'vitest';
import { goals } from '../../../bench/goals.ts';

const sample = (wallMs: number) => [{ wallMs, cpuMs: wallMs, peakRssMb: 50 }];

it('goals() compares with the empty process of the same run, and says which hold', () => {
  const text = goals([
    { subject: 'an empty Node.js', verb: 'run', samples: sample(20) },
    { subject: 'calico, etcd', verb: 'ADD', samples: sample(50) },
    { subject: 'calico, etcd', verb: 'DEL', samples: sample(40) },
  ]);
  expect(
    text
      .split('\n')
      .slice(3)
      .map((line) => line.trim().replace(/ {2,}/g, ' | ')),
  ).toEqual([
    'ADD, times an empty process | ≤ 2 | 2.50 | missed',
    'DEL, times an empty process | ≤ 2.2 | 2.00 | holds',
    'ADD, ms of CPU | ≤ 55 | 50.0 | holds',
    'ADD, peak MB | ≤ 60 | 50.0 | holds',
  ]);
});
