import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { secret } from '../../../src/base/secret.ts';

describe('secret()', () => {
  it('shows itself to nobody who does not ask', () => {
    const token = secret('hunter2');
    expect(`${token}`).toBe('[secret]');
    expect(JSON.stringify({ token })).toBe('{"token":"[secret]"}');
    expect(inspect({ token })).toBe('{ token: [secret] }');
    expect(inspect(token, { showHidden: true, depth: 9 })).not.toContain('hunter2');
    expect(Object.values(token).map(String).join()).not.toContain('hunter2');
    expect(token.reveal()).toBe('hunter2');
  });
});
