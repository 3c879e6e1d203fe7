/** A runtime that gives up on a call tells it so: the call takes back what it did, and says that it was told. */

import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tryLockFile } from '../../src/network/native.ts';
import { writeCluster } from '../support/cluster.ts';
import { layLine } from '../support/line.ts';
import { moveTo, whyNoNetns } from '../support/netns.ts';
import { type EndedCall, type RunningCall, startCall } from '../support/running-call.ts';
import {
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const SOON_MS = 1_000;

describe.skipIf(why !== undefined)(`signals${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let folder = '';
  let count = 0;

  beforeAll(async () => {
    node = await startNode();
    await writeCluster(node.etcd);
  });
  afterAll(() => node.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signals-'));
    count += 1;
  });
  afterEach(async () => {
    node.etcd.resume();
    rmSync(folder, { recursive: true });
    expect(await traces()).toEqual(NOTHING);
  });

  const NOTHING = { links: '', routes: '', keys: [], violations: [] };

  /** What calls have left behind, of which there must be nothing. */
  async function traces(): Promise<typeof NOTHING> {
    const keys = [...(await dumpCalico(node)).keys()];
    return {
      links: node.host.sh('ip -o link | grep -E "cali|new-|tmp-" || true'),
      routes: node.host.sh('ip route | grep cali || true'),
      keys: keys.filter((key) => /handle|workloadendpoints/.test(key)) as never[],
      violations: (await leftovers(node)) as never[],
    };
  }

  const sandbox = () => ({ containerId: `signal${count}`.padEnd(24, '0'), netns: node.makePod().path });

  /** Sends the signal when the call has had so much time, and says how long it then took. */
  async function interrupted(call: RunningCall, afterMs: number, signal: NodeJS.Signals = 'SIGTERM') {
    await sleep(Math.max(0, afterMs - call.elapsedMs()));
    const atMs = call.elapsedMs();
    call.process.kill(signal);
    const ended = await call.ended;
    return { ...ended, afterSignalMs: ended.elapsedMs - atMs };
  }

  function expectTerminated({ stdout, exitCode }: EndedCall, by = 'SIGTERM'): void {
    expect({ exitCode, error: JSON.parse(stdout) }).toEqual({
      exitCode: 1,
      error: {
        cniVersion: '1.0.0',
        code: 11,
        msg: `terminated by ${by} before ADD was done`,
        details: expect.stringContaining('DEL'),
      },
    });
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('ends an ADD that waits for etcd: %s', async (signal) => {
    node.etcd.pause();
    const ended = await interrupted(startCall(node, 'ADD', sandbox()), 600, signal);
    expectTerminated(ended, signal);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
    node.etcd.resume();
  });

  it('ends an ADD whose write is not answered, and takes that write back', async () => {
    using _moved = moveTo(node.host);
    const line = await layLine(2379);
    const conf = { etcd_endpoints: `http://127.0.0.1:${line.port}` };
    const call = startCall(node, 'ADD', { ...sandbox(), conf });
    // Only the write is as large as this.
    while (line.passed('request') < 3_500) await sleep(0);
    line.hold('response');
    while ((await traces()).keys.length === 0) await sleep(5);
    const ended = await interrupted(call, 600);
    expectTerminated(ended);
    expect(ended.stderr).toContain('rolled back: the records in the datastore');
    expect(ended.afterSignalMs).toBeLessThan(3 * SOON_MS);
  });

  it('ends an ADD that waits for the IPAM lock of the node', async () => {
    const file = join(folder, 'lock');
    const fd = openSync(file, 'a');
    onTestFinished(() => closeSync(fd));
    expect(tryLockFile(fd)).toBe(true);
    const call = startCall(node, 'ADD', { ...sandbox(), conf: { ipam_lock_file: file } });
    const ended = await interrupted(call, 600);
    expectTerminated(ended);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  it('ends an ADD that waits for a readiness gate', async () => {
    const conf = { readiness_gates: ['http://127.0.0.1:9/ready'] };
    const ended = await interrupted(startCall(node, 'ADD', { ...sandbox(), conf }), 600);
    expectTerminated(ended);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  const WAITING = { policy_setup_timeout_seconds: 30 };
  const POD = 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1';

  it('takes everything back from an ADD that is done but for the policy', async () => {
    const call = startCall(node, 'ADD', { ...sandbox(), conf: WAITING, args: POD });
    const ended = await interrupted(call, 1_000);
    expectTerminated(ended);
    expect(ended.stderr).toContain('rolled back: the interface of the pod');
    expect(ended.stderr).toContain('rolled back: the records in the datastore');
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  it('leaves what a repeated ADD found as it was', async () => {
    const pod = { ...sandbox(), args: POD };
    succeeded(await node.cni('ADD', pod));
    const before = await dumpCalico(node);
    const again = await interrupted(startCall(node, 'ADD', { ...pod, conf: WAITING }), 1_000);
    expectTerminated(again);
    expect(await dumpCalico(node)).toEqual(before);
    expect(node.host.sh('ip -o link')).toContain('cali');
    succeeded(await node.cni('DEL', pod));
  });

  it('ends at once when it is told again, and then a DEL removes what is left', async () => {
    const pod = { ...sandbox(), args: POD };
    const call = startCall(node, 'ADD', { ...pod, conf: WAITING });
    await sleep(1_000);
    node.etcd.pause();
    call.process.kill('SIGTERM');
    const ended = await interrupted(call, 1_500);
    expect(ended.afterSignalMs).toBeLessThan(300);
    expect(ended.exitCode).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      code: 11,
      msg: 'terminated by SIGTERM, for the second time, before it was done',
    });
    node.etcd.resume();
    succeeded(await node.cni('DEL', pod));
  });

  it('is over in time although nothing can be taken back, and then a DEL does it', async () => {
    const pod = { ...sandbox(), args: POD };
    const call = startCall(node, 'ADD', { ...pod, conf: WAITING });
    await sleep(1_000);
    node.etcd.pause();
    const ended = await interrupted(call, 1_000);
    expectTerminated(ended);
    expect(ended.afterSignalMs).toBeLessThan(12_500);
    expect(ended.stderr).toContain(
      'cannot roll back: the records in the datastore; a DEL of the container will',
    );
    node.etcd.resume();
    succeeded(await node.cni('DEL', pod));
  });

  it('lets a DEL take the network away, and come again for the records', async () => {
    const pod = sandbox();
    succeeded(await node.cni('ADD', pod));
    node.etcd.pause();
    const ended = await interrupted(startCall(node, 'DEL', pod), 600);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      code: 11,
      msg: 'terminated by SIGTERM before DEL was done',
    });
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
    expect(node.host.sh('ip -o link')).not.toContain('cali');
    node.etcd.resume();
    succeeded(await node.cni('DEL', pod));
  });

  it('is heard while stdin is still open', async () => {
    const ended = await interrupted(startCall(node, 'ADD', { ...sandbox(), hasEnd: false }), 600);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      code: 11,
      msg: expect.stringMatching(/^terminated by SIGTERM/),
    });
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  it('is passed on to a delegate, whose addresses are given back', async () => {
    writeFileSync(
      join(folder, 'slow-ipam'),
      `#!/bin/sh
echo "$CNI_COMMAND" >> ${folder}/calls
[ "$CNI_COMMAND" = ADD ] || exit 0
trap 'echo stopped >> ${folder}/calls; exit 1' TERM
cat > /dev/null; sleep 20 > /dev/null 2>&1 & wait $!
`,
    );
    chmodSync(join(folder, 'slow-ipam'), 0o755);
    const conf = { ipam: { type: 'slow-ipam' } };
    const call = startCall(node, 'ADD', { ...sandbox(), conf, path: folder });
    const ended = await interrupted(call, 800);
    expectTerminated(ended);
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('ADD\nstopped\nDEL\n');
  });

  it('leaves nothing, whenever it comes', async () => {
    const ATTEMPTS = 96;
    const AT_ONCE = 8;
    const outcomes = { added: 0, terminated: 0, 'not yet listening': 0 };
    const pod = (index: number) => ({
      containerId: `random${index}x`.padEnd(24, '0'),
      netns: node.makePod().path,
    });
    const together = (run: (index: number) => Promise<unknown>, first = 0) =>
      Promise.all(Array.from({ length: AT_ONCE }, (_unused, index) => run(first + index)));

    let longestMs = 0;
    await together(async (index) => {
      const call = pod(index);
      longestMs = Math.max(longestMs, succeeded(await node.cni('ADD', call)).elapsedMs);
      succeeded(await node.cni('DEL', call));
    });
    const one = async (index: number) => {
      const call = pod(index);
      const ended = await interrupted(startCall(node, 'ADD', call), Math.random() * longestMs);
      if (ended.exitCode === undefined) {
        outcomes['not yet listening'] += 1;
      } else if (ended.exitCode === 0) {
        outcomes.added += 1;
        succeeded(await node.cni('DEL', call));
      } else {
        outcomes.terminated += 1;
        expect(JSON.parse(ended.stdout), ended.stderr).toMatchObject({
          code: 11,
          msg: expect.stringMatching(/^terminated by SIGTERM before (ADD|the call) was done$/),
        });
        expect(ended.stderr).not.toContain('cannot roll back');
      }
    };
    for (let first = 0; first < ATTEMPTS; first += AT_ONCE) await together(one, first);
    // biome-ignore lint/suspicious/noConsole: the figures are part of the result
    console.log(`signals within ${Math.round(longestMs)} ms:`, outcomes);
    expect(outcomes.terminated).toBeGreaterThan(0);
    expect(await traces()).toEqual(NOTHING);
  }, 180_000);
});
