import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireIpamLock } from '../../src/network/ipam-lock.ts';
import { deadline, realClock } from '../support/clock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ipam-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('acquireIpamLock()', () => {
  it('makes the file and its directories, readable by the owner only', async () => {
    const path = join(folder, 'run/calico/ipam.lock');

    const lock = await acquireIpamLock(path, realClock, deadline(0));

    expect(lock.isHeld).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    if (lock.isHeld) lock.release();
  });

  it('gives up after its budget while another holds the lock, and says so', async () => {
    const path = join(folder, 'ipam.lock');
    const holder = await acquireIpamLock(path, realClock, deadline(0));

    const other = await acquireIpamLock(path, realClock, deadline(30));

    expect(other).toEqual({ isHeld: false, reason: `${path} was held by another process for 30 ms` });
    if (holder.isHeld) holder.release();
  });

  it('gets the lock as soon as the holder lets go, also when it lets go twice', async () => {
    const path = join(folder, 'ipam.lock');
    const holder = await acquireIpamLock(path, realClock, deadline(0));
    const waiting = acquireIpamLock(path, realClock, deadline(5000));
    await realClock.sleep(20);

    if (holder.isHeld) {
      holder.release();
      holder.release();
    }

    expect((await waiting).isHeld).toBe(true);
    expect((await acquireIpamLock(path, realClock, deadline(0))).isHeld).toBe(false);
  });

  it('does not throw when the file cannot be made', async () => {
    expect(await acquireIpamLock('/etc/hostname/ipam.lock', realClock, deadline(10))).toMatchObject({
      isHeld: false,
      reason: expect.stringMatching(/^cannot lock \/etc\/hostname\/ipam\.lock: (ENOTDIR|EEXIST)/),
    });
  });

  it('leaves no file open', async () => {
    const path = join(folder, 'ipam.lock');
    for (let n = 0; n < 10; n++) {
      const lock = await acquireIpamLock(path, realClock, deadline(0));
      await acquireIpamLock(path, realClock, deadline(0));
      if (lock.isHeld) lock.release();
    }

    expect(openFiles()).not.toContain(path);
  });
});

/** Of this process, which may have opened others meanwhile. */
function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // That of the list itself.
      return [];
    }
  });
}
