import { describe, expect, it } from 'vitest';
import { readInvocation } from '../../../src/cli/program-arguments.ts';

describe('readInvocation()', () => {
  it.each([
    ['calico', [], { run: 'cni', program: 'calico' }],
    ['calico-ipam', [], { run: 'cni', program: 'calico-ipam' }],
    ['calico.bak', [], { run: 'cni', program: 'calico' }],
    ['calico-ipam', ['ignored', 'words'], { run: 'cni', program: 'calico-ipam' }],
    ['calico', ['some', 'words'], { run: 'command', args: ['some', 'words'] }],
    ['calico', ['--help'], { run: 'command', args: ['--help'] }],
    ['calico', ['-v'], { run: 'version' }],
    ['calico-ipam', ['--version'], { run: 'version' }],
    ['calico-ipam', ['-h'], { run: 'help', program: 'calico-ipam' }],
    ['calico', ['bootstrap', '--pool', 'x'], { run: 'command', args: ['bootstrap', '--pool', 'x'] }],
    ['calico', ['-t'], { run: 'command', args: ['test-connection'] }],
    ['calico', ['-t', '-v'], { run: 'version' }],
    ['calico-ipam', ['-t'], { run: 'refuse', program: 'calico-ipam', why: expect.stringContaining("'-t'") }],
    ['install', [], { run: 'command', args: ['install'] }],
    ['calico', ['-x'], { run: 'refuse', program: 'calico', why: expect.stringContaining("'-x'") }],
  ])('called as %s with %j', (name, args, expected) => {
    expect(readInvocation(name, args)).toEqual(expected);
  });
});
