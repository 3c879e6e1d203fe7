/** Whether labels satisfy a selector. Pure. */

import type { Selector } from './parse.ts';

/**
 * A label that is absent satisfies only `!=` and `not in`.
 */
export function matchesSelector(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  switch (selector.type) {
    case 'all':
      return true;
    case 'has':
      return labelOf(labels, selector.label) !== undefined;
    case 'not':
      return !matchesSelector(selector.operand, labels);
    case 'and':
      return selector.operands.every((operand) => matchesSelector(operand, labels));
    case 'or':
      return selector.operands.some((operand) => matchesSelector(operand, labels));
    case '==':
      return labelOf(labels, selector.label) === selector.value;
    case '!=':
      return labelOf(labels, selector.label) !== selector.value;
    case 'contains':
      return labelOf(labels, selector.label)?.includes(selector.value) ?? false;
    case 'starts with':
      return labelOf(labels, selector.label)?.startsWith(selector.value) ?? false;
    case 'ends with':
      return labelOf(labels, selector.label)?.endsWith(selector.value) ?? false;
    case 'in':
      return isOneOf(selector.values, labelOf(labels, selector.label));
    case 'not in':
      return !isOneOf(selector.values, labelOf(labels, selector.label));
  }
}

/** Own properties only: a label named `constructor` is absent until somebody sets it. */
function labelOf(labels: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

function isOneOf(values: ReadonlySet<string>, value: string | undefined): boolean {
  return value !== undefined && values.has(value);
}
