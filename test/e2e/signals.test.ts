/** A runtime that gives up on a call tells it so: the call takes back what it did, and says that it was told. */

import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { tryLockFile } from '../../src/network/native.ts';
import { writeCluster } from '../support/cluster.ts';
import { layLine } from '../support/line.ts';
import { moveTo, whyNoNetns } from '../support/netns.ts';
import { listening } from '../support/peer.ts';
import { type EndedCall, type RunningCall, startCall } from '../support/running-call.ts';
import {
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
/** On any machine; whoever did not heed the signal would go on for 15 s at least. */
const SOON_MS = 8_000;
const PATIENCE = { timeout: 20_000, interval: 10 };

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

  /** Sends the signal once the call has come so far, and says how long it then took. */
  async function interrupted(
    call: RunningCall,
    isTime: () => boolean | Promise<boolean>,
    signal: NodeJS.Signals = 'SIGTERM',
  ) {
    await vi.waitUntil(isTime, PATIENCE);
    const atMs = call.elapsedMs();
    call.process.kill(signal);
    const ended = await call.ended;
    return { ...ended, afterSignalMs: ended.elapsedMs - atMs };
  }

  /** Whether it has a connection to etcd, which may be paused. */
  const isAtEtcd = ({ process: { pid } }: RunningCall) =>
    node.host.sh('ss -Htnp state established dport = :2379').includes(`pid=${pid},`);
  const isWired = () => node.host.sh('ip route').includes('cali');
  const isUnwired = () => !node.host.sh('ip -o link').includes('cali');

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
    const call = startCall(node, 'ADD', sandbox());
    const ended = await interrupted(call, () => isAtEtcd(call), signal);
    expectTerminated(ended, signal);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
    node.etcd.resume();
  });

  it('ends an ADD whose write is not answered, and takes that write back', async () => {
    using _moved = moveTo(node.host);
    const line = await layLine(2379);
    const conf = { etcd_endpoints: `http://127.0.0.1:${line.port}` };
    // Only the write is as large as this.
    line.holdAnswersAfter(3_500);
    const call = startCall(node, 'ADD', { ...sandbox(), conf });
    const ended = await interrupted(call, async () => (await traces()).keys.length > 0);
    expectTerminated(ended);
    expect(ended.stderr).toContain('rolled back: the records in the datastore');
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  it('ends an ADD that waits for the IPAM lock of the node', async () => {
    const file = join(folder, 'lock');
    const fd = openSync(file, 'a');
    onTestFinished(() => closeSync(fd));
    expect(tryLockFile(fd)).toBe(true);
    const call = startCall(node, 'ADD', { ...sandbox(), conf: { ipam_lock_file: file } });
    const ended = await interrupted(call, () => hasOpen(call, file));
    expectTerminated(ended);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  it('ends an ADD that waits for a readiness gate', async () => {
    using _moved = moveTo(node.host);
    let asked = 0;
    const gate = createServer((_request, response) => {
      asked += 1;
      response.writeHead(503).end();
    });
    onTestFinished(() => void gate.close());
    const conf = { readiness_gates: [`http://127.0.0.1:${await listening(gate)}/ready`] };
    const ended = await interrupted(startCall(node, 'ADD', { ...sandbox(), conf }), () => asked > 0);
    expectTerminated(ended);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  const WAITING = { policy_setup_timeout_seconds: 30 };
  const POD = 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1';

  it('takes everything back from an ADD that is done but for the policy', async () => {
    const call = startCall(node, 'ADD', { ...sandbox(), conf: WAITING, args: POD });
    const ended = await interrupted(call, isWired);
    expectTerminated(ended);
    expect(ended.stderr).toContain('rolled back: the interface of the pod');
    expect(ended.stderr).toContain('rolled back: the records in the datastore');
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
  });

  it('leaves what a repeated ADD found as it was', async () => {
    const pod = { ...sandbox(), args: POD };
    succeeded(await node.cni('ADD', pod));
    const before = await dumpCalico(node);
    const call = startCall(node, 'ADD', { ...pod, conf: WAITING });
    await vi.waitUntil(() => isAtEtcd(call), PATIENCE);
    // It finds that all is there, and waits for the policy.
    await sleep(500);
    const again = await interrupted(call, () => true);
    expectTerminated(again);
    expect(await dumpCalico(node)).toEqual(before);
    expect(node.host.sh('ip -o link')).toContain('cali');
    succeeded(await node.cni('DEL', pod));
  });

  it('ends at once when it is told again, and then a DEL removes what is left', async () => {
    const pod = { ...sandbox(), args: POD };
    const call = startCall(node, 'ADD', { ...pod, conf: WAITING });
    await vi.waitUntil(isWired, PATIENCE);
    node.etcd.pause();
    call.process.kill('SIGTERM');
    // It was heard: the records, which cannot be taken back now, come last.
    const ended = await interrupted(call, isUnwired);
    expect(ended.afterSignalMs).toBeLessThan(SOON_MS);
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
    await vi.waitUntil(isWired, PATIENCE);
    node.etcd.pause();
    const ended = await interrupted(call, () => true);
    expectTerminated(ended);
    expect(ended.afterSignalMs).toBeLessThan(20_000);
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
    const ended = await interrupted(startCall(node, 'DEL', pod), isUnwired);
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
    const call = startCall(node, 'ADD', { ...sandbox(), hasEnd: false });
    // Nobody can see that it listens.
    await sleep(2_000);
    const ended = await interrupted(call, () => true);
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
trap 'echo stopped >> ${folder}/calls; exit 1' TERM
echo "$CNI_COMMAND" >> ${folder}/calls
[ "$CNI_COMMAND" = ADD ] || exit 0
cat > /dev/null; sleep 20 > /dev/null 2>&1 & wait $!
`,
    );
    chmodSync(join(folder, 'slow-ipam'), 0o755);
    const conf = { ipam: { type: 'slow-ipam' } };
    const call = startCall(node, 'ADD', { ...sandbox(), conf, path: folder });
    const ended = await interrupted(call, () => existsSync(join(folder, 'calls')));
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
      const [running, atMs] = [startCall(node, 'ADD', call), Math.random() * longestMs];
      await sleep(atMs);
      running.process.kill('SIGTERM');
      const ended = await running.ended;
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

/** Whether the call has the file open. */
function hasOpen({ process: { pid } }: RunningCall, file: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((fd) => {
    try {
      return readlinkSync(join(folder, fd)) === file;
    } catch {
      // It was closed meanwhile.
      return false;
    }
  });
}
