import { describe, expect, it } from 'vitest';
import type { Log } from '../../../src/base/log.ts';
import { createRollback } from '../../../src/plugins/rollback.ts';

function recordingLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (text: string) => void lines.push(text);
  return { log: { debug: write, info: write, warn: write, error: write }, lines };
}

describe('a rollback', () => {
  it('undoes what was done, last first', async () => {
    const { log, lines } = recordingLog();
    const rollback = createRollback();
    for (const what of ['address', 'records', 'interface']) rollback.push(what, async () => undefined);
    await rollback.run(log);
    expect(lines).toEqual(['rolled back: interface', 'rolled back: records', 'rolled back: address']);
  });

  it('keeps the address when the interface cannot be removed', async () => {
    const { log, lines } = recordingLog();
    const rollback = createRollback();
    const undone: string[] = [];
    rollback.push('address', async () => void undone.push('address'));
    rollback.push('interface', () => Promise.reject(new Error('busy')));
    await rollback.run(log);
    expect(undone).toEqual([]);
    expect(lines).toEqual(['cannot roll back: interface; a DEL of the container will']);
  });
});
