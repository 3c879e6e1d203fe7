/** Asks the agent of this host how it is. */

import type { IncomingMessage } from 'node:http';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import { isJsonObject } from '../../base/json-object.ts';
import { STATUS_PATH } from '../../node/serve/agent-pages.ts';
import type { AgentStatus } from '../../node/status/agent-status.ts';

const BUDGET_MS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Rejects with `unavailable` when none answers at the socket. */
export async function readStatus(socketPath: string): Promise<AgentStatus> {
  let text: string;
  try {
    text = await get(socketPath);
  } catch (cause) {
    throw noAnswer(socketPath, cause);
  }
  const status: unknown = JSON.parse(text);
  if (isJsonObject(status) && typeof status.node === 'string' && 'ready' in status)
    return status as unknown as AgentStatus;
  throw new CalicoError('unavailable', `what answers at ${socketPath} is no agent of this version`);
}

async function get(socketPath: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { request } = process.getBuiltinModule('node:http');
  const options = { socketPath, path: STATUS_PATH, signal: AbortSignal.timeout(BUDGET_MS) };
  request(options, resolve).on('error', reject).end();
  const response = await promise;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('the answer does not end');
    chunks.push(chunk);
  }
  if (response.statusCode !== 200) throw new Error(`the answer is ${response.statusCode}`);
  return Buffer.concat(chunks).toString('utf8');
}

function noAnswer(socketPath: string, cause: unknown): CalicoError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EACCES' || code === 'EPERM')
    return new CalicoError('config', `${socketPath} is for root alone`, { details: 'try sudo', cause });
  const isMissing = code === 'ENOENT' || code === 'ECONNREFUSED';
  const why = isMissing ? 'nobody listens' : errorText(cause);
  return new CalicoError('unavailable', `calico node does not run on this host: ${why} at ${socketPath}`, {
    details:
      'start it (systemctl start calico-node, or the DaemonSet), and look at its log; if it runs with another --socket or ' +
      'CALICO_NODE_SOCKET, give this command the same',
    cause,
  });
}
