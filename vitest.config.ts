/** The test tiers, fastest first. `make check` runs the first two, `make test` all. */

import { defineConfig } from 'vitest/config';
import { tallyReporter } from './test/support/tally-reporter.ts';

/** Pure tests: many at once, no child processes but esbuild's. The limit tells what hangs from properties on a busy machine: some take 6 s alone. */
function pure(name: string) {
  return { test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 120_000 } };
}

/** Decoders that are fed until they misbehave, for seconds or for as long as was asked. Memory is short on purpose. */
function fuzz(name: string) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: process.env.FUZZ_RUNS === undefined ? 60_000 : 0,
      execArgv: ['--max-old-space-size=384'],
    },
  };
}

/** Tests that start servers or change the kernel: one file at a time per tier, a limit for slow machines. */
function real(name: string, limitMs = 60_000) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: limitMs,
      hookTimeout: limitMs,
      expect: { poll: { timeout: 15_000 } },
      // Each agent has two threads of the pool that wait for the kernel: with four, one of three agents in a test hears nothing.
      env: { UV_THREADPOOL_SIZE: '16' },
      fileParallelism: false,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      pure('unit'),
      pure('architecture'),
      fuzz('fuzz'),
      real('contract'),
      real('integration'),
      real('kernel'),
      real('e2e', 90_000),
      real('kubernetes', 120_000),
    ],
    pool: 'forks',
    // node:ffi says that it is experimental; the version of Node.js is pinned.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    maxWorkers: 2,
    passWithNoTests: true,
    reporters: ['default', tallyReporter()],
  },
});
