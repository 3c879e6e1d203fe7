import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadlineIn } from '../../../src/base/deadline.ts';
import { createInterrupter, type Interruption } from '../../../src/base/interruption.ts';
import {
  type Delegate,
  delegateAdd,
  delegateCheck,
  delegateDel,
  delegateGc,
  delegateStatus,
} from '../../../src/cni/delegate.ts';
import { formatError } from '../../../src/cni/error.ts';
import { realClock } from '../../support/clock.ts';

let directory = '';
let log = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'delegate-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A plugin that is a shell script; `$DIR` is where it may leave notes. */
function plugin(script: string, cniVersion = '1.0.0'): Delegate {
  const path = join(directory, 'plugin');
  writeFileSync(path, `#!/bin/sh\nDIR=${directory}\n${script}\n`);
  chmodSync(path, 0o755);
  log = '';
  return {
    path,
    stdin: ' {"name":"net1", "n": 18446744073709551615}\n',
    cniVersion,
    env: { PATH: process.env.PATH, CNI_COMMAND: 'CHECK', CNI_IFNAME: 'eth0', UNSET: undefined },
    args: 'K8S_POD_NAME=web-1',
    writeStderr: (text) => {
      log += text;
    },
  };
}

const within = (budgetMs: number, interruption?: Interruption) =>
  deadlineIn(realClock, budgetMs, 'ADD', interruption);

const SOON = () => within(20_000);
const add = (delegate: Delegate) => delegateAdd(delegate, SOON(), SOON);

/** A plugin that succeeds at every command but ADD. */
const failingAdd = (script: string) => `[ "$CNI_COMMAND" = ADD ] || exit 0\n${script}`;

describe('delegateAdd()', () => {
  it('gives the plugin our configuration and environment, and reads its result', async () => {
    const result = await add(
      plugin(`cat > $DIR/stdin; env > $DIR/env
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.1/26"}],"routes":[{"dst":"10.0.0.1/26"}]}'`),
    );
    expect(result.ips).toEqual([
      { address: { address: { family: 4, value: 0x0a00_0001n }, prefixLength: 26 } },
    ]);
    expect(readFileSync(join(directory, 'stdin'), 'utf8')).toBe(
      ' {"name":"net1", "n": 18446744073709551615}\n',
    );
    const env = readFileSync(join(directory, 'env'), 'utf8').split('\n');
    expect(env).toContain('CNI_COMMAND=ADD');
    expect(env).toContain('CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web-1');
    expect(env).toContain('CNI_IFNAME=eth0');
    expect(env.some((line) => line.startsWith('UNSET'))).toBe(false);
  });

  it('reads a result without cniVersion in the version of the configuration', async () => {
    const script = `echo '{"ip4":{"ip":"10.0.0.1/32"}}'`;
    expect((await add(plugin(script, '0.2.0'))).ips).toHaveLength(1);
    expect((await add(plugin(script, '1.0.0'))).ips).toHaveLength(0);
  });

  it('takes null for an empty result', async () => {
    expect((await add(plugin('echo null'))).ips).toEqual([]);
  });

  it('passes on what the plugin says on stderr, also when it succeeds', async () => {
    await add(plugin('echo starting >&2; echo {}; echo done >&2'));
    expect(log).toBe('starting\ndone\n');
  });

  it('does not mind a plugin that does not read its configuration', async () => {
    const delegate = { ...plugin('echo {}'), stdin: 'x'.repeat(1_000_000) };
    expect((await add(delegate)).ips).toEqual([]);
  });

  it('reports the plugin\u2019s error with its own code, message and details', async () => {
    const delegate = plugin(
      failingAdd(
        `echo '{"cniVersion":"1.0.0","code":11,"msg":"try \\"later\\"","details":"locked"}'; exit 1`,
      ),
    );
    const error = await add(delegate).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'delegate', code: 11, message: 'try "later"', details: 'locked' });
    expect(formatError(error, '0.4.0')).toBe(
      '{\n    "cniVersion": "0.4.0",\n    "code": 11,\n    "msg": "try \\"later\\"",\n    "details": "locked"\n}',
    );
  });

  it.each([
    ['exit 3', 106, 'netplugin failed with no error message: exit status 3'],
    ['kill -TERM $$', 106, 'netplugin failed with no error message: signal: SIGTERM'],
    ['echo "no \\"lock\\"" >&2; exit 1', 106, 'netplugin failed: "no \\"lock\\"\\n"'],
    ['echo noise >&2; echo \'{"code":7,"msg":"m"}\'; exit 1', 7, 'm'],
    [
      'echo oops; exit 1',
      106,
      expect.stringMatching(
        /^netplugin failed but error parsing its diagnostic message "oops\\n": Unexpected token/,
      ),
    ],
    [
      'echo "[]"; exit 1',
      106,
      'netplugin failed but error parsing its diagnostic message "[]\\n": it must be an object, found an array',
    ],
    ["echo '{}'; exit 1", 106, 'netplugin failed with no error message: exit status 1'],
    ['echo \'{"code":"7","msg":"m"}\'; exit 1', 106, 'm'],
    ['echo \'{"code":0,"msg":"m"}\'; exit 1', 106, 'm'],
  ])('fails when the plugin does: %s', async (script, code, message) => {
    await expect(add(plugin(failingAdd(script)))).rejects.toMatchObject({ kind: 'delegate', code, message });
  });

  it.each([
    ['', /^cannot understand the result of .*\/plugin: Unexpected end of JSON input$/],
    ["echo '[]'", /: result must be an object, found an array$/],
    ['echo \'{"cniVersion":"9.0.0"}\'', /: no converter for CNI result version 9.0.0 to 1.1.0$/],
    [
      'echo \'{"ips":[{"address":"x"}]}\'',
      /: ips\[0\]\.address must be an address with a prefix length, found/,
    ],
  ])('fails when the result is none: %s', async (script, message) => {
    await expect(add(plugin(script))).rejects.toMatchObject({
      kind: 'delegate',
      message: expect.stringMatching(message),
    });
  });

  it('runs DEL after a failed ADD, and after one whose result is none', async () => {
    for (const script of [
      'echo $CNI_COMMAND >> $DIR/commands; exit 1',
      'echo $CNI_COMMAND >> $DIR/commands',
    ]) {
      rmSync(join(directory, 'commands'), { force: true });
      await expect(add(plugin(script))).rejects.toThrow();
      expect(readFileSync(join(directory, 'commands'), 'utf8')).toBe('ADD\nDEL\n');
    }
  });

  it('reports the ADD when the DEL fails as well, which is only logged', async () => {
    const delegate = plugin('echo "{\\"code\\":1,\\"msg\\":\\"$CNI_COMMAND failed\\"}"; exit 1');
    await expect(add(delegate)).rejects.toThrow('ADD failed');
    expect(log).toBe(`DEL by ${delegate.path} after its failed ADD failed, too: DEL failed\n`);
  });

  it('does not run DEL after a good ADD', async () => {
    await add(plugin('echo $CNI_COMMAND > $DIR/commands; echo {}'));
    expect(readFileSync(join(directory, 'commands'), 'utf8')).toBe('ADD\n');
  });

  it('kills the plugin at the deadline, even when its children hold the pipes, and then runs DEL', async () => {
    const delegate = plugin(
      failingAdd('echo $$ > $DIR/pid; sleep 25 & exec sleep 25').replace(
        'exit 0',
        '{ touch $DIR/deleted; exit 0; }',
      ),
    );
    const started = performance.now();
    await expect(delegateAdd(delegate, within(2_000), SOON)).rejects.toMatchObject({
      kind: 'unavailable',
      message: `ADD did not finish within 2000 ms: time was up while ${delegate.path} did its ADD, and it was killed`,
    });
    expect(performance.now() - started).toBeLessThan(20_000);
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
    expect(readFileSync(join(directory, 'deleted'), 'utf8')).toBe('');
  });

  it('stops a plugin that prints without end', async () => {
    await expect(add(plugin(failingAdd('exec yes')))).rejects.toMatchObject({
      kind: 'delegate',
      message: expect.stringMatching(/printed more than 8388608 characters at ADD and was killed$/),
    });
  });

  it('tries again while an installer is still writing the executable', async () => {
    const delegate = plugin('echo {}');
    const writer = openSync(delegate.path, 'a');
    setTimeout(() => closeSync(writer), 200);
    expect((await add(delegate)).ips).toEqual([]);
  });

  it('fails when the file cannot be executed', async () => {
    const delegate = plugin('echo {}');
    chmodSync(delegate.path, 0o644);
    await expect(add(delegate)).rejects.toMatchObject({
      kind: 'delegate',
      message: expect.stringMatching(/^netplugin failed with no error message: spawn .* EACCES$/),
    });
  });
});

function isRunning(pid: number): boolean {
  try {
    // A killed process whose parent has not yet asked for its status is dead, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const refusal = (code: number, msg: string) => `echo '${JSON.stringify({ code, msg })}'; exit 1`;

describe('the other verbs', () => {
  it.each([
    ['DEL', delegateDel],
    ['CHECK', delegateCheck],
    ['STATUS', delegateStatus],
    ['GC', delegateGc],
  ] as const)('%s is run as such, and its failure is ours', async (command, verb) => {
    await verb(plugin('echo $CNI_COMMAND > $DIR/command'), SOON());
    expect(readFileSync(join(directory, 'command'), 'utf8')).toBe(`${command}\n`);
    await expect(verb(plugin(refusal(50, 'not ready')), SOON())).rejects.toMatchObject({
      code: 50,
      message: 'not ready',
    });
  });

  it.each([
    ['CHECK', delegateCheck],
    ['STATUS', delegateStatus],
    ['GC', delegateGc],
  ] as const)('%s of a plugin that has none is fine', async (command, verb) => {
    for (const [code, message] of [
      [1, `plugin version does not allow ${command}`],
      [1, `config version does not allow ${command}`],
      [4, `unknown CNI_COMMAND: ${command}`],
    ] as const) {
      await verb(plugin(refusal(code, message)), SOON());
    }
    const older = [plugin(refusal(3, 'missing containerID')), plugin(refusal(4, 'interface name is empty'))];
    for (const one of older) {
      // Commands of later versions, which older ones take for commands on a container.
      if (command === 'CHECK') await expect(verb(one, SOON())).rejects.toThrow();
      else await verb(one, SOON());
    }
    await expect(verb(plugin(refusal(1, 'incompatible CNI versions')), SOON())).rejects.toThrow();
    await expect(verb(plugin(refusal(7, `unknown CNI_COMMAND: ${command}`)), SOON())).rejects.toThrow();
  });
});

describe('a delegate whose caller is told to stop', () => {
  /** Once it is ready to hear of it. */
  const SLEEP = 'touch $DIR/ready; sleep 20 > /dev/null 2>&1 & wait $!';
  const calls = () => readFileSync(join(directory, 'calls'), 'utf8');

  async function interrupt(script: string) {
    for (const note of ['calls', 'ready']) rmSync(join(directory, note), { force: true });
    const { interruption, interrupt: stop } = createInterrupter();
    const delegate = plugin(`echo $CNI_COMMAND >> $DIR/calls; ${failingAdd(`cat > /dev/null; ${script}`)}`);
    const adding = delegateAdd(delegate, within(20_000, interruption), SOON);
    adding.catch(() => undefined);
    while (!existsSync(join(directory, 'ready'))) await realClock.sleep(5);
    const startMs = performance.now();
    stop('SIGTERM');
    const error = await adding.catch((failure: unknown) => failure);
    return { error, elapsedMs: performance.now() - startMs };
  }

  it('is told as well, may put things in order, and then gets a DEL', async () => {
    const { error } = await interrupt(`trap 'echo stopped >> $DIR/calls; exit 3' TERM; ${SLEEP}`);
    expect(error).toMatchObject({
      kind: 'unavailable',
      message: 'terminated by SIGTERM before ADD was done',
    });
    expect(calls()).toBe('ADD\nstopped\nDEL\n');
  });

  it('does not count with what it still achieves', async () => {
    const result = '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.1/26"}]}';
    const { error } = await interrupt(`trap 'echo ${JSON.stringify(result)}; exit 0' TERM; ${SLEEP}`);
    expect(error).toMatchObject({ message: 'terminated by SIGTERM before ADD was done' });
    expect(calls()).toBe('ADD\nDEL\n');
  });

  it('is killed when it does not listen', async () => {
    const { error, elapsedMs } = await interrupt(`trap '' TERM; touch $DIR/ready; sleep 20`);
    expect(error).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        /before ADD was done: .*plugin went on with its ADD for 3000 ms, and was killed$/,
      ),
    });
    expect(elapsedMs).toBeLessThan(15_000);
    expect(calls()).toBe('ADD\nDEL\n');
  });

  it('is not started any more', async () => {
    rmSync(join(directory, 'calls'), { force: true });
    const { interruption, interrupt: stop } = createInterrupter();
    stop('SIGTERM');
    const delegate = plugin('echo $CNI_COMMAND >> $DIR/calls');
    await expect(delegateDel(delegate, within(5_000, interruption))).rejects.toThrow('terminated by SIGTERM');
    expect(existsSync(join(directory, 'calls'))).toBe(false);
  });
});
