/** Reads a whole file descriptor as text, but not without limit. */

import { readSync } from 'node:fs';
import { CalicoError } from '../base/calico-error.ts';

/** Far above any network configuration, which is a few kilobytes and a list of attachments. */
export const MAX_STDIN_BYTES = 8 * 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;
const RETRY_MS = 5;

/**
 * The descriptor's bytes to the end of file as UTF-8. Synchronous reads, because `process.stdin` costs
 * milliseconds to set up; a descriptor that does not block is asked again. Throws `input` beyond the limit.
 */
export async function readText(fd: number, maxBytes: number = MAX_STDIN_BYTES): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await readChunk(fd);
    if (chunk.length === 0) return new TextDecoder().decode(Buffer.concat(chunks));
    length += chunk.length;
    if (length > maxBytes) throw new CalicoError('input', `it holds more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
}

async function readChunk(fd: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    try {
      return buffer.subarray(0, readSync(fd, buffer));
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
