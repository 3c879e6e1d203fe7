/** Groups the steps of a plan into trips to the kernel. Pure. */

import type { Step } from './plan-pod.ts';

/** Steps of one kind in one namespace that follow each other: one netlink write, or one stay in a namespace. */
export type Trip = readonly Step[];

/** The same steps in the same order, in as few trips as possible. */
export function trips(steps: readonly Step[]): readonly Trip[] {
  const starts = steps.flatMap((step, index) => (sharesTrip(steps[index - 1], step) ? [] : [index]));
  return starts.map((start, n) => steps.slice(start, starts[n + 1]));
}

function sharesTrip(before: Step | undefined, step: Step): boolean {
  const isSysctl = step.do === 'write-sysctl';
  return before?.where === step.where && (before.do === 'write-sysctl') === isSysctl;
}
