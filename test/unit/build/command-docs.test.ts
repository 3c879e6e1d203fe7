import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandDocs } from '../../../build/command-docs.ts';
import { REPOSITORY } from '../../support/tools.ts';

describe('docs/commands.md', () => {
  it('says what the commands say of themselves: else run "make docs"', () => {
    expect(readFileSync(join(REPOSITORY, 'docs/commands.md'), 'utf8')).toBe(commandDocs());
  });

  it('tells of the exit status, of examples, and once of the datastore', () => {
    const text = commandDocs();
    expect(text).toContain('Exit status:\n  0  it is done');
    expect(text).toContain('calico get ippools -o wide');
    expect(text.match(/`--etcd-endpoints <urls>`/g)).toHaveLength(1);
  });
});
