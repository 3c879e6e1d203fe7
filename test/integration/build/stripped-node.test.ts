import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { strippedNode } from '../../../build/stripped-node.ts';
import { findTool } from '../../support/tools.ts';

describe('strippedNode()', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stripped-node-'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  it.skipIf(findTool('strip') === undefined)('makes a smaller Node.js that runs', () => {
    const path = join(folder, 'node');
    expect(strippedNode(path)).toBe(path);
    expect(statSync(path).size).toBeLessThan(0.9 * statSync(process.execPath).size);
    expect(execFileSync(path, ['-p', 'process.version'], { encoding: 'utf8' }).trim()).toBe(process.version);
  });

  it('gives Node.js as it is where there is no strip(1), and says so', () => {
    vi.stubEnv('PATH', folder);
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(strippedNode(join(folder, 'node'))).toBe(process.execPath);
    expect(said).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('binutils'));
    expect(existsSync(join(folder, 'node'))).toBe(false);
  });
});
