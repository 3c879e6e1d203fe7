import { describe, expect, it } from 'vitest';
import { CNI_VARIABLES, isCniCommand, isCniName, readEnvironment } from '../../../src/cni/environment.ts';

const FULL = {
  CNI_CONTAINERID: 'ab362be4377b',
  CNI_NETNS: '/var/run/netns/cni-1',
  CNI_IFNAME: 'eth0',
  CNI_ARGS: 'K8S_POD_NAME=web-1',
  CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
  CNI_NETNS_OVERRIDE: '1',
};

/** R: required, o: optional or unused. */
const TABLE = [
  ['CNI_CONTAINERID', { ADD: 'R', CHECK: 'R', DEL: 'R', STATUS: 'o', GC: 'o', VERSION: 'o' }],
  ['CNI_NETNS', { ADD: 'R', CHECK: 'R', DEL: 'o', STATUS: 'o', GC: 'o', VERSION: 'o' }],
  ['CNI_IFNAME', { ADD: 'R', CHECK: 'R', DEL: 'R', STATUS: 'o', GC: 'o', VERSION: 'o' }],
  ['CNI_ARGS', { ADD: 'o', CHECK: 'o', DEL: 'o', STATUS: 'o', GC: 'o', VERSION: 'o' }],
  ['CNI_PATH', { ADD: 'R', CHECK: 'R', DEL: 'R', STATUS: 'R', GC: 'R', VERSION: 'o' }],
  ['CNI_NETNS_OVERRIDE', { ADD: 'o', CHECK: 'o', DEL: 'o', STATUS: 'o', GC: 'o', VERSION: 'o' }],
] as const;
const CASES = TABLE.flatMap(([variable, needs]) =>
  Object.entries(needs).map(([command, need]) => ({ variable, command, need })),
);

describe('readEnvironment()', () => {
  it.each(CASES)('$command without $variable ($need)', ({ variable, command, need }) => {
    for (const absent of [{ [variable]: undefined }, { [variable]: '' }]) {
      const read = () => readEnvironment({ ...FULL, CNI_COMMAND: command, ...absent });
      if (need === 'o') expect(read().command).toBe(command);
      else {
        expect(read).toThrow(
          expect.objectContaining({
            kind: 'environment',
            message: `required env variables [${variable}] missing`,
          }),
        );
      }
    }
  });

  it('covers every variable in this table', () => {
    expect(CNI_VARIABLES.map(({ name }) => name)).toEqual(['CNI_COMMAND', ...TABLE.map(([name]) => name)]);
  });

  it.each([
    ['ADD', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'],
    ['CHECK', 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'],
    ['DEL', 'CNI_CONTAINERID,CNI_IFNAME,CNI_PATH'],
    ['STATUS', 'CNI_PATH'],
    ['GC', 'CNI_PATH'],
    ['', 'CNI_COMMAND'],
  ])('%j alone: everything missing in one error', (command, missing) => {
    expect(() => readEnvironment({ CNI_COMMAND: command })).toThrow(
      `required env variables [${missing}] missing`,
    );
  });

  it('needs nothing else for VERSION or for a command there is not', () => {
    expect(readEnvironment({ CNI_COMMAND: 'VERSION' }).command).toBe('VERSION');
    expect(readEnvironment({ CNI_COMMAND: 'add', CNI_IFNAME: 'a/b' }).command).toBe('add');
  });

  it('is the parameters as values', () => {
    expect(readEnvironment({ ...FULL, CNI_COMMAND: 'ADD' })).toEqual({
      command: 'ADD',
      containerId: 'ab362be4377b',
      netnsPath: '/var/run/netns/cni-1',
      ifName: 'eth0',
      args: 'K8S_POD_NAME=web-1',
      path: ['/opt/cni/bin', '/usr/lib/cni'],
      netnsOverride: true,
    });
  });

  it('has empty values where nothing was given', () => {
    expect(readEnvironment({ CNI_COMMAND: 'STATUS', CNI_PATH: ':/opt/cni/bin:' })).toEqual({
      command: 'STATUS',
      containerId: '',
      netnsPath: '',
      ifName: '',
      args: '',
      path: ['/opt/cni/bin'],
      netnsOverride: false,
    });
  });

  it.each([
    ['1', true],
    ['true', true],
    ['TRUE', true],
    ['True', true],
    ['0', false],
    ['yes', false],
    ['true ', false],
  ])('reads CNI_NETNS_OVERRIDE=%s as %s', (value, override) => {
    expect(readEnvironment({ ...FULL, CNI_COMMAND: 'DEL', CNI_NETNS_OVERRIDE: value }).netnsOverride).toBe(
      override,
    );
  });

  it.each(['a', 'A.b_c-d', '0', 'x'.repeat(300)])('takes container ID %s', (id) => {
    expect(readEnvironment({ ...FULL, CNI_COMMAND: 'ADD', CNI_CONTAINERID: id }).containerId).toBe(id);
    expect(isCniName(id)).toBe(true);
  });

  it.each(['-a', '.a', '_a', 'a/b', 'a b', 'a\n', 'ä', 'a;b'])('refuses container ID %j', (id) => {
    expect(() => readEnvironment({ ...FULL, CNI_COMMAND: 'DEL', CNI_CONTAINERID: id })).toThrow(
      expect.objectContaining({
        kind: 'environment',
        message: 'invalid characters in containerID',
        details: id,
      }),
    );
  });

  it.each(['e', 'eth0', '123456789012345', 'net.1', 'ä', 'Eth_0'])('takes interface name %s', (ifName) => {
    expect(readEnvironment({ ...FULL, CNI_COMMAND: 'ADD', CNI_IFNAME: ifName }).ifName).toBe(ifName);
  });

  it('refuses exactly the whitespace that Unicode knows', () => {
    const isRefused = (character: string) => {
      try {
        readEnvironment({ ...FULL, CNI_COMMAND: 'ADD', CNI_IFNAME: `a${character}b` });
        return false;
      } catch {
        return true;
      }
    };
    for (let code = 1; code < 0xd800; code++) {
      const character = String.fromCharCode(code);
      if (isRefused(character) !== /[/:\p{White_Space}]/u.test(character))
        expect.fail(`U+${code.toString(16)} is treated wrongly`);
    }
  });

  const BAD = 'interface name contains / or : or whitespace characters';
  it.each([
    ['1234567890123456', 'interface name is too long'],
    ['ääääääää', 'interface name is too long'],
    ['.', 'interface name is . or ..'],
    ['..', 'interface name is . or ..'],
    ['a/b', BAD],
    ['a:b', BAD],
    ['a b', BAD],
    ['a\tb', BAD],
    ['a\u00a0b', BAD],
    ['a\u2003b', BAD],
    ['a\u0085b', BAD],
  ])('refuses interface name %j', (ifName, message) => {
    expect(() => readEnvironment({ ...FULL, CNI_COMMAND: 'CHECK', CNI_IFNAME: ifName })).toThrow(
      expect.objectContaining({ kind: 'environment', message }),
    );
  });

  it('says how long an interface name may be', () => {
    expect(() => readEnvironment({ ...FULL, CNI_COMMAND: 'ADD', CNI_IFNAME: 'x'.repeat(16) })).toThrow(
      expect.objectContaining({ details: 'interface name should be less than 16 characters' }),
    );
  });

  it('names the first wrong value, not what is missing', () => {
    expect(() => readEnvironment({ CNI_COMMAND: 'ADD', CNI_CONTAINERID: '-', CNI_IFNAME: 'a/b' })).toThrow(
      'invalid characters in containerID',
    );
  });

  it('does not look at values the command has no use for', () => {
    const env = { ...FULL, CNI_COMMAND: 'STATUS', CNI_CONTAINERID: '-', CNI_IFNAME: 'a/b' };
    expect(readEnvironment(env).ifName).toBe('a/b');
  });
});

describe('isCniCommand()', () => {
  it('knows the commands in upper case only', () => {
    for (const command of ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION']) {
      expect(isCniCommand(command)).toBe(true);
      expect(isCniCommand(command.toLowerCase())).toBe(false);
    }
    expect(isCniCommand('')).toBe(false);
  });
});
