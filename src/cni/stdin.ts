/** Reads a whole file descriptor as text, but not without limit, and not for ever. */

import { readSync } from 'node:fs';
import { CalicoError } from '../base/calico-error.ts';
import { checkInterruption, type Deadline } from '../base/deadline.ts';

/** Far above any network configuration, which is a few kilobytes and a list of attachments. */
export const MAX_STDIN_BYTES = 8 * 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;
/** How long nothing else of the process happens while nothing comes. */
const WAIT_MS = 20;

export interface TextSource {
  readonly fd: number;
  /** Whether a read would not block: waits for that, at most `timeoutMs`. */
  readonly waitForData: (fd: number, timeoutMs: number) => boolean;
  readonly deadline: Deadline;
  readonly maxBytes?: number;
}

/**
 * The descriptor's bytes to the end of file as UTF-8. Synchronous reads, because `process.stdin` costs milliseconds to
 * set up. Throws `input` beyond the limit and after the deadline, and `unavailable` when it is interrupted.
 */
export async function readText(source: TextSource): Promise<string> {
  const { maxBytes = MAX_STDIN_BYTES } = source;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    await untilReadable(source, length);
    const chunk = readChunk(source.fd);
    if (chunk === undefined) continue;
    if (chunk.length === 0) return new TextDecoder().decode(Buffer.concat(chunks));
    length += chunk.length;
    if (length > maxBytes) throw new CalicoError('input', `it holds more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
}

async function untilReadable({ fd, waitForData, deadline }: TextSource, length: number): Promise<void> {
  for (let waitMs = 0; !waitForData(fd, waitMs); waitMs = WAIT_MS) {
    // A signal is only heard of between the turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    checkInterruption(deadline);
    if (deadline.remainingMs() > 0) continue;
    throw new CalicoError('input', `it was not closed within ${deadline.budgetMs} ms, after ${length} bytes`);
  }
}

/** `undefined`: there is nothing after all. */
function readChunk(fd: number): Uint8Array | undefined {
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    return buffer.subarray(0, readSync(fd, buffer));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
    throw error;
  }
}
