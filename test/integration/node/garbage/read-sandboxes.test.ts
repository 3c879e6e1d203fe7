/** What is in the folder of a runtime's CNI library, and in that of network namespaces. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readSandboxes } from '../../../../src/node/garbage/read-sandboxes.ts';
import { findRunningCalls } from '../../../../src/node/garbage/running-calls.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandboxes-'));
  mkdirSync(join(folder, 'cni/results'), { recursive: true });
  mkdirSync(join(folder, 'netns'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const netns = (name: string) => join(folder, 'netns', name);
const keep = (name: string, value: unknown) =>
  writeFileSync(join(folder, 'cni/results', name), typeof value === 'string' ? value : JSON.stringify(value));
const stateOf = (containerId: string) => readSandboxes(join(folder, 'cni'))(containerId);

describe('readSandboxes()', () => {
  it('tells a container that has its namespace from one that has lost it', () => {
    writeFileSync(netns('a'), '');
    keep('net-a-eth0', { kind: 'cniCacheV1', netns: netns('a') });
    keep('net-b-eth0', { kind: 'cniCacheV1', netns: netns('b') });
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['alive', 'gone', 'unknown']);
  });

  it('takes a container for alive as long as one of its attachments is', () => {
    writeFileSync(netns('a'), '');
    keep('net-a-eth0', { netns: netns('gone') });
    keep('other-a-net1', { netns: netns('a') });
    expect(stateOf('a')).toBe('alive');
  });

  it.each([
    ['what cannot be read', '{'],
    ['what names no namespace', { kind: 'cniCacheV1' }],
    ['a namespace in a folder that is not there', { netns: '/nowhere/else/a' }],
    ['a namespace that is no path', { netns: 'a-namespace-of-a-vm' }],
  ])('takes a container for alive with %s', (_what, value) => {
    keep('net-a-eth0', value);
    expect(stateOf('a')).toBe('alive');
  });

  it('takes a container for alive whose namespace is there and cannot be seen', () => {
    symlinkSync(netns('a'), netns('a'));
    keep('net-a-eth0', { netns: netns('a') });
    expect(stateOf('a')).toBe('alive');
  });

  it.skipIf(process.getuid?.() !== 0)('needs no rights to trace the processes that namespaces are of', () => {
    keep('net-a-eth0', { netns: `/proc/${process.pid}/ns/net` });
    const module = join(import.meta.dirname, '../../../../src/node/garbage/read-sandboxes.ts');
    const script = `import { readSandboxes } from '${module}'; process.stdout.write(readSandboxes('${join(folder, 'cni')}')('a'))`;
    // The rights that the agent has as a service and in a container.
    const rights = ['--bounding-set=-all,+net_admin', '--inh-caps=-all,+net_admin'];
    const agent = spawnSync('setpriv', [...rights, process.execPath, '--input-type=module', '-e', script]);
    expect(agent.stdout.toString()).toBe('alive');
  });

  it('answers for no container where the folder has no results', () => {
    rmSync(join(folder, 'cni/results'), { recursive: true });
    expect(() => stateOf('a')).toThrow(expect.objectContaining({ kind: 'config' }));
  });

  it('fails where the runtime’s folder cannot be seen, and says what to do', () => {
    expect(() => readSandboxes(join(folder, 'none'))).toThrow(
      expect.objectContaining({
        kind: 'config',
        details: expect.stringContaining('GARBAGE_COLLECTION_CNI_CACHE'),
      }),
    );
  });

  it('knows of none where there is nothing to be seen', () => {
    expect(readSandboxes(undefined)('a')).toBe('unknown');
  });
});

describe('findRunningCalls()', () => {
  it('finds a plugin by the container that it is called for', async () => {
    const command = spawn('/bin/sleep', ['60'], { argv0: 'calico', env: { CNI_CONTAINERID: 'c1' } });
    onTestFinished(() => void command.kill());
    expect(findRunningCalls()('c1')).toBe(false);
    const plugin = spawn('/bin/cat', [], { argv0: '/opt/cni/bin/calico', env: { CNI_CONTAINERID: 'c1' } });
    onTestFinished(() => void plugin.kill());
    await expect.poll(() => findRunningCalls()('c1'), { timeout: 10_000 }).toBe(true);
    expect(findRunningCalls()('c2')).toBe(false);
  });
});
