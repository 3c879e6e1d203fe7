/** The completion scripts, in the shells that are there. */

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../support/command-line.ts';
import { findTool, requireTool } from '../../support/tools.ts';

async function script(shell: string): Promise<string> {
  const { stdout, exitCode } = await commandLine(['completion', shell]);
  expect(exitCode).toBe(0);
  return stdout;
}

/** What bash offers when the tab key is pressed behind these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const press = `COMP_WORDS=(calico "$@"); COMP_CWORD=$#; _calico; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync(
    requireTool('bash'),
    ['-c', `${await script('bash')}\n${press}`, 'bash', ...words],
    { encoding: 'utf8', cwd: '/etc' },
  );
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash completion', () => {
  it.each([
    ['commands', ['g'], ['get']],
    ['all commands', [''], expect.arrayContaining(['apply', 'bootstrap', 'completion', 'create', 'get'])],
    ['kinds', ['get', 'wo'], ['workloadendpoints']],
    ['formats', ['get', '-o', ''], ['ps', 'wide', 'yaml', 'json']],
    ['formats, by the long name', ['get', 'nodes', '--output', 'w'], ['wide']],
    ['options', ['apply', '--d'], expect.arrayContaining(['--dry-run', '--datastore-type'])],
    ['files', ['apply', '-f', 'hos'], expect.arrayContaining(['hosts'])],
    ['shells', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['nothing where a value is free', ['get', '-n', ''], []],
  ])('offers %s', async (_what, words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });
});

describe.each([
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])('the script for %s', (shell, check) => {
  const isHere = findTool(shell) !== undefined;
  it.skipIf(!isHere)(`is one${isHere ? '' : ` (skipped: there is no ${shell} here)`}`, async () => {
    const { status, stderr } = spawnSync(shell, check, { input: await script(shell), encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('knows every command, and has no quote left open', async () => {
    const text = await script(shell);
    for (const name of ['get', 'apply', 'create', 'bootstrap']) expect(text).toContain(`calico ${name}`);
    for (const line of text.split('\n')) {
      if (line.startsWith('#') || line.includes('"')) continue;
      expect((line.replaceAll("\\'", '').match(/'/g) ?? []).length % 2, line).toBe(0);
    }
  });
});

describe('calico completion', () => {
  it('knows three shells', async () => {
    const { stderr, exitCode } = await commandLine(['completion', 'tcsh']);
    expect(stderr).toContain('Allowed choices are bash, zsh, fish');
    expect(exitCode).toBe(2);
  });
});
