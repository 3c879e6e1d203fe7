import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../src/base/calico-error.ts';
import { type CniCall, type CniPlugin, dispatch } from '../../../src/cni/dispatch.ts';
import { CniError } from '../../../src/cni/error.ts';
import { parseResult } from '../../../src/cni/parse-result.ts';
import { SUPPORTED_VERSIONS } from '../../../src/cni/version.ts';

const ENV = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/var/run/netns/x',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const RESULT = parseResult({ cniVersion: '1.1.0', ips: [{ address: '10.0.0.1/32' }] }, '');
const CONF = '{"cniVersion":"1.1.0","name":"net1","type":"calico"}';

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly writes: number;
  readonly calls: readonly string[];
  readonly call: CniCall | undefined;
  readonly stdinRead: boolean;
}

interface Given {
  readonly command?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Error;
  readonly plugin?: Partial<CniPlugin>;
  readonly brokenStdout?: boolean;
  readonly onlyAddAndDel?: boolean;
}

async function run(given: Given): Promise<Run> {
  const { command = 'ADD', env = {}, stdin = CONF, plugin = {}, brokenStdout, onlyAddAndDel } = given;
  const calls: string[] = [];
  let call: CniCall | undefined;
  let [stdout, stderr, writes, stdinRead] = ['', '', 0, false];
  const handler = (name: string) => async (seen: CniCall) => {
    calls.push(name);
    call = seen;
    return RESULT;
  };
  const exitCode = await dispatch(
    {
      env: { ...ENV, CNI_COMMAND: command, ...env },
      readStdin: async () => {
        stdinRead = true;
        if (stdin instanceof Error) throw stdin;
        return stdin;
      },
      writeStdout: async (text) => {
        writes++;
        if (brokenStdout) throw new Error('EPIPE');
        stdout += text;
      },
      writeStderr: async (text) => {
        stderr += text;
      },
    },
    {
      about: 'Calico CNI plugin v0.1.0',
      add: handler('add'),
      del: handler('del'),
      ...(onlyAddAndDel ? {} : { check: handler('check'), status: handler('status'), gc: handler('gc') }),
      ...plugin,
    },
  );
  return { exitCode, stdout, stderr, writes, calls, call, stdinRead };
}

function withVersion(cniVersion: string): string {
  return JSON.stringify({ cniVersion, name: 'net1' });
}

describe('dispatch() without CNI_COMMAND', () => {
  it.each([undefined, ''])('(%j) introduces the plugin on stderr', async (CNI_COMMAND) => {
    expect(await run({ env: { CNI_COMMAND } })).toMatchObject({
      exitCode: 0,
      stdout: '',
      stdinRead: false,
      stderr:
        'Calico CNI plugin v0.1.0\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n',
    });
  });
});

describe('dispatch() of VERSION', () => {
  it('prints the versions without looking at stdin or any other variable', async () => {
    const env = { CNI_CONTAINERID: '-', CNI_IFNAME: 'a/b', CNI_PATH: undefined };
    expect(await run({ command: 'VERSION', stdin: new Error('closed'), env })).toMatchObject({
      exitCode: 0,
      stdinRead: false,
      stdout:
        '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
    });
  });
});

describe('dispatch() calls the verb', () => {
  it.each([
    ['ADD', 'add'],
    ['DEL', 'del'],
    ['CHECK', 'check'],
    ['STATUS', 'status'],
    ['GC', 'gc'],
  ])('%s and prints a result for ADD only', async (command, name) => {
    const { exitCode, stdout, calls } = await run({ command });
    expect({ exitCode, calls }).toEqual({ exitCode: 0, calls: [name] });
    expect(stdout === '').toBe(command !== 'ADD');
  });

  it('with the parameters and the configuration', async () => {
    const { call } = await run({ command: 'ADD', env: { CNI_NETNS_OVERRIDE: 'True', CNI_ARGS: 'IP=::1' } });
    expect(call).toEqual({
      command: 'ADD',
      containerId: 'c1',
      netnsPath: '/var/run/netns/x',
      ifName: 'eth0',
      args: 'IP=::1',
      path: ['/opt/cni/bin'],
      netnsOverride: true,
      conf: {
        text: CONF,
        json: JSON.parse(CONF),
        cniVersion: '1.1.0',
        resultVersion: '1.1.0',
        name: 'net1',
      },
    });
  });

  it.each(SUPPORTED_VERSIONS)(
    'ADD prints its result in the configuration\u2019s version %s',
    async (version) => {
      const { stdout, writes } = await run({ stdin: withVersion(version) });
      expect(JSON.parse(stdout).cniVersion).toBe(version);
      expect(stdout.endsWith('}')).toBe(true);
      expect(writes).toBe(1);
    },
  );

  it('ADD prints a 0.2.0 result when the configuration has no version', async () => {
    const { stdout, call } = await run({ stdin: '{"name":"net1"}' });
    expect(JSON.parse(stdout)).toEqual({ cniVersion: '0.2.0', ip4: { ip: '10.0.0.1/32' }, dns: {} });
    expect(call?.conf.cniVersion).toBe('0.1.0');
  });
});

const MISSING = 'required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing';
const NOTHING = { CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '', CNI_PATH: '' };
const INCOMPATIBLE = (version: string) => ({
  code: 1,
  msg: 'incompatible CNI versions',
  details: `config is "${version}", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]`,
});

interface Refusal extends Given {
  readonly why: string;
  readonly error: object;
}

const REFUSALS: readonly Refusal[] = [
  { why: 'missing variables', env: NOTHING, error: { cniVersion: '1.1.0', code: 4, msg: MISSING } },
  {
    why: 'a wrong variable before a missing one',
    env: { CNI_CONTAINERID: '/', CNI_NETNS: '' },
    error: { code: 4, msg: 'invalid characters in containerID', details: '/' },
  },
  {
    why: 'a wrong interface name before bad JSON',
    env: { CNI_IFNAME: '..' },
    stdin: '{',
    error: { code: 4, msg: 'interface name is . or ..' },
  },
  {
    why: 'stdin that cannot be read',
    stdin: new Error('EIO: i/o error, read'),
    error: { code: 5, msg: 'error reading from stdin: EIO: i/o error, read' },
  },
  {
    why: 'stdin that is too long',
    stdin: new CalicoError('input', 'it holds more than 8388608 bytes'),
    error: { code: 5, msg: 'error reading from stdin: it holds more than 8388608 bytes' },
  },
  {
    why: 'bad JSON before an unknown command',
    command: 'FROB',
    stdin: '',
    error: {
      cniVersion: '1.1.0',
      code: 6,
      msg: 'error unmarshall network config: Unexpected end of JSON input',
    },
  },
  {
    why: 'no name before a bad version',
    stdin: '{"cniVersion":"9"}',
    error: { code: 7, msg: 'missing network name' },
  },
  {
    why: 'a bad name',
    stdin: '{"name":"a b"}',
    error: { code: 7, msg: 'invalid characters found in network name', details: 'a b' },
  },
  {
    why: 'an unknown command before a bad version',
    command: 'FROB',
    stdin: withVersion('9.9.9'),
    error: { code: 4, msg: 'unknown CNI_COMMAND: FROB' },
  },
  {
    why: 'a command in lower case',
    command: 'add',
    stdin: withVersion('0.4.0'),
    error: { cniVersion: '0.4.0', code: 4, msg: 'unknown CNI_COMMAND: add' },
  },
  { why: 'an unknown version on ADD', stdin: withVersion('9.9.9'), error: { ...INCOMPATIBLE('9.9.9') } },
  {
    why: 'an unknown version on DEL',
    command: 'DEL',
    stdin: withVersion('0.5.0'),
    error: { cniVersion: '1.1.0', ...INCOMPATIBLE('0.5.0') },
  },
  { why: 'a version that is none on ADD', stdin: withVersion('x'), error: INCOMPATIBLE('x') },
  {
    why: 'CHECK before 0.4.0',
    command: 'CHECK',
    stdin: withVersion('0.3.1'),
    error: { cniVersion: '0.3.1', code: 1, msg: 'config version does not allow CHECK' },
  },
  {
    why: 'CHECK without a version',
    command: 'CHECK',
    stdin: '{"name":"n"}',
    error: { cniVersion: '0.1.0', code: 1, msg: 'config version does not allow CHECK' },
  },
  {
    why: 'CHECK after our newest version',
    command: 'CHECK',
    stdin: withVersion('1.2.0'),
    error: { code: 1, msg: 'plugin version does not allow CHECK' },
  },
  {
    why: 'CHECK with a version between ours',
    command: 'CHECK',
    stdin: withVersion('0.5.0'),
    error: INCOMPATIBLE('0.5.0'),
  },
  {
    why: 'CHECK with a version that is none',
    command: 'CHECK',
    stdin: withVersion('x'),
    error: { code: 6, msg: 'failed to convert major version part "x": it is not a number' },
  },
  {
    why: 'STATUS before 1.1.0',
    command: 'STATUS',
    stdin: withVersion('1.0.0'),
    error: { cniVersion: '1.0.0', code: 1, msg: 'config version does not allow STATUS' },
  },
  {
    why: 'STATUS after our newest version',
    command: 'STATUS',
    stdin: withVersion('2.0.0'),
    error: { code: 1, msg: 'plugin version does not allow STATUS' },
  },
  {
    why: 'GC before 1.1.0',
    command: 'GC',
    stdin: withVersion('1.0.0'),
    error: { code: 1, msg: 'config version does not allow GC' },
  },
  {
    why: 'GC after our newest version',
    command: 'GC',
    stdin: withVersion('1.1.1'),
    error: { code: 1, msg: 'plugin version does not allow GC' },
  },
];

describe('dispatch() refuses', () => {
  it.each(REFUSALS)('$why', async (given) => {
    const { exitCode, stdout, calls, writes } = await run(given);
    expect({ exitCode, calls, writes }).toEqual({ exitCode: 1, calls: [], writes: 1 });
    expect(JSON.parse(stdout)).toEqual({ cniVersion: expect.anything(), ...given.error });
  });

  it.each(['CHECK', 'STATUS', 'GC'])(
    '%s when the plugin has no handler, as if no version had it',
    async (command) => {
      const { exitCode, stdout } = await run({ command, onlyAddAndDel: true });
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout)).toEqual({
        cniVersion: '1.1.0',
        code: 1,
        msg: `plugin version does not allow ${command}`,
      });
    },
  );
});

describe('dispatch() reports what the verb throws', () => {
  it.each(SUPPORTED_VERSIONS)('with the configuration\u2019s version %s', async (version) => {
    const add = async () => {
      throw new CalicoError('no-address', 'no addresses available');
    };
    expect(await run({ stdin: withVersion(version), plugin: { add } })).toMatchObject({
      exitCode: 1,
      stderr: '',
      stdout: `{\n    "cniVersion": "${version}",\n    "code": 102,\n    "msg": "no addresses available"\n}`,
    });
  });

  it('with a code of the verb\u2019s own', async () => {
    const status = async () => {
      throw new CniError(51, 'unavailable', 'felix is not live');
    };
    const { stdout } = await run({ command: 'STATUS', plugin: { status } });
    expect(JSON.parse(stdout)).toMatchObject({ code: 51, msg: 'felix is not live' });
  });

  it('as code 999 with the stack on stderr when it is a bug', async () => {
    const del = async () => {
      throw new TypeError('x is undefined');
    };
    const { exitCode, stdout, stderr } = await run({ command: 'DEL', plugin: { del } });
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ cniVersion: '1.1.0', code: 999, msg: 'x is undefined' });
    expect(stderr).toMatch(/TypeError: x is undefined\n\s+at /);
  });

  it('when it is no Error at all', async () => {
    const add = () => Promise.reject('oops');
    expect(JSON.parse((await run({ plugin: { add } })).stdout)).toMatchObject({ code: 999, msg: 'oops' });
  });

  it('when ADD has no result', async () => {
    const add = async () => undefined;
    expect(JSON.parse((await run({ plugin: { add } })).stdout)).toMatchObject({
      code: 999,
      msg: 'ADD ended without a result',
    });
  });

  it('when the result cannot be said in the configuration\u2019s version', async () => {
    const add = async () => ({ ...RESULT, ips: [] });
    const { stdout, writes } = await run({ stdin: withVersion('0.2.0'), plugin: { add } });
    expect(JSON.parse(stdout)).toMatchObject({ code: 1, msg: 'cannot convert: no valid IP addresses' });
    expect(writes).toBe(1);
  });

  it('but not a second time when stdout is gone', async () => {
    expect(await run({ brokenStdout: true })).toMatchObject({ exitCode: 1, writes: 1, stdout: '' });
  });
});

describe('dispatch() runs the guard', () => {
  const guard = async () => {
    throw new CalicoError('netns', "plugin's netns and netns from CNI_NETNS should not be the same");
  };

  it.each(['ADD', 'DEL'])('before %s, which then does nothing', async (command) => {
    const { calls, stdout } = await run({ command, plugin: { guard } });
    expect(calls).toEqual([]);
    expect(JSON.parse(stdout)).toEqual({
      cniVersion: '1.1.0',
      code: 8,
      msg: "plugin's netns and netns from CNI_NETNS should not be the same",
    });
  });

  it.each(['CHECK', 'STATUS', 'GC'])('not before %s', async (command) => {
    expect((await run({ command, plugin: { guard } })).exitCode).toBe(0);
  });

  it('after the version', async () => {
    const { stdout } = await run({ stdin: withVersion('9.9.9'), plugin: { guard } });
    expect(JSON.parse(stdout).code).toBe(1);
  });
});
