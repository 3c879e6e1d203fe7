import { expect, it } from 'vitest';
import { formatTable } from '../../../bench/table.ts';

it('formatTable() aligns names to the left and numbers to the right', () => {
  expect(
    formatTable(
      ['', 'ms', 'MB'],
      [
        ['calico', '7', '41.0'],
        ['ptp', '12', '5'],
      ],
    ),
  ).toBe(['        ms    MB', '------  --  ----', 'calico   7  41.0', 'ptp     12     5'].join('\n'));
});
