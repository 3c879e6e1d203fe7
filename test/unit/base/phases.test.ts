import { expect, it } from 'vitest';
import { createPhases } from '../../../src/base/phases.ts';

it('createPhases() lists spans in the order of their beginning, also when they overlap', () => {
  let now = 20;
  const phases = createPhases(() => now);
  const outer = phases.start('outer');
  now = 21.25;
  const inner = phases.start('inner');
  now = 22;
  inner();
  phases.start('never ended');
  now = 30;
  outer();
  expect(phases.toString()).toBe('outer 20.0-30.0; inner 21.3-22.0');
});
