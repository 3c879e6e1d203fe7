/**
 * A vitest reporter beside the usual one: why tests were skipped, and the closing line `N passed, N failed, N skipped`
 * over all tiers, kept in dist/test-tally for .ci/run.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { REPOSITORY } from './tools.ts';

const TALLY = join(REPOSITORY, 'dist/test-tally');

/** What vitest's `reporters` setting takes. */
export function tallyReporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const tests = modules.flatMap((module) => [...module.children.allTests()]);
      const skipped = tests.filter((test) => test.result().state === 'skipped');
      for (const line of reasons(skipped)) process.stdout.write(`${line}\n`);
      const passed = tests.filter((test) => test.result().state === 'passed').length;
      // A file that could not be loaded, or an error outside a test, has no test to count it under.
      const failed = tests.length - passed - skipped.length + broken(modules) + unhandledErrors.length;
      mkdirSync(dirname(TALLY), { recursive: true });
      writeFileSync(TALLY, `${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
    },
  };
}

function broken(modules: readonly TestModule[]): number {
  return modules.filter((module) => module.state() === 'failed' && module.errors().length > 0).length;
}

/** One line per reason, with how many tests it kept from running. */
function reasons(skipped: readonly TestCase[]): readonly string[] {
  const byReason = Map.groupBy(skipped, reasonOf);
  return [...byReason].map(([reason, tests]) => `skipped ${tests.length}: ${reason}`);
}

/** As given to `skip(reason)`, or in a title: `a pod (skipped: needs root)`. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const inTitle = /\(skipped: ([^)]+)\)/.exec(test.fullName)?.[1];
  return note ?? inTitle ?? `no reason given: ${test.module.relativeModuleId} > ${test.fullName}`;
}
