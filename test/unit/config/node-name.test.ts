import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname as osHostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseNodeName, readNodeName } from '../../../src/config/node-name.ts';

const ALL = { nodename: 'conf', fileText: 'file', hostname: 'old', osHostname: 'Machine ' };

describe('chooseNodeName()', () => {
  it.each([
    [{}, 'conf'],
    [{ nodename: undefined }, 'file'],
    [{ nodename: '' }, 'file'],
    [{ nodename: undefined, fileText: ' node1\n' }, 'node1'],
    [{ nodename: undefined, fileText: '' }, 'old'],
    [{ nodename: undefined, fileText: ' \n' }, 'old'],
    [{ nodename: undefined, fileText: undefined }, 'old'],
    [{ nodename: undefined, fileText: undefined, hostname: undefined }, 'machine'],
  ])('with %j is %s', (facts, name) => {
    expect(chooseNodeName({ ...ALL, ...facts })).toBe(name);
  });

  it('leaves the case of a configured name alone', () => {
    expect(chooseNodeName({ ...ALL, nodename: 'Node1' })).toBe('Node1');
  });
});

describe('readNodeName()', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'nodename-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const conf = (name: string, optional: boolean, nodename?: string) => ({
    nodename,
    nodenameFile: join(directory, name),
    nodenameFileOptional: optional,
    hostname: undefined,
  });

  it('reads the file', () => {
    writeFileSync(join(directory, 'nodename'), 'node1\n');
    expect(readNodeName(conf('nodename', false), 'os')).toBe('node1');
  });

  it('needs the file, even when the configuration names the node', () => {
    expect(() => readNodeName(conf('absent', false, 'conf'), 'os')).toThrow(
      expect.objectContaining({
        kind: 'unavailable',
        message: `stat ${join(directory, 'absent')}: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/`,
      }),
    );
  });

  it('takes the configured name over the file, which must be there all the same', () => {
    writeFileSync(join(directory, 'nodename'), 'file');
    expect(readNodeName(conf('nodename', false, 'conf'), 'os')).toBe('conf');
  });

  it.each(['', ' \n'])('goes on with the next source when the file holds %j', (text) => {
    writeFileSync(join(directory, 'nodename'), text);
    expect(readNodeName({ ...conf('nodename', false), hostname: 'old' }, 'os')).toBe('old');
    expect(readNodeName(conf('nodename', false), 'OS')).toBe('os');
  });

  it('goes on with the next source when the file is there but cannot be read', () => {
    mkdirSync(join(directory, 'nodename'));
    expect(readNodeName(conf('nodename', false), 'os')).toBe('os');
  });

  it('takes a link to nowhere for no file', () => {
    symlinkSync(join(directory, 'nowhere'), join(directory, 'nodename'));
    expect(() => readNodeName(conf('nodename', false, 'conf'), 'os')).toThrow(/^stat .*no such file/);
    expect(readNodeName(conf('nodename', true), 'os')).toBe('os');
  });

  it('does without it when it is optional', () => {
    expect(readNodeName(conf('absent', true, 'conf'), 'os')).toBe('conf');
    expect(readNodeName(conf('absent', true), 'OS')).toBe('os');
    expect(readNodeName(conf('absent', true))).toBe(osHostname().toLowerCase());
  });
});
