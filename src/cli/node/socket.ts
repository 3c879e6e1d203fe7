/** Where the agent of this host is asked for its status. */

import { Option } from 'commander';
import { DEFAULT_SOCKET, SOCKET_VARIABLE } from '../../node/operations.ts';

export function socketOption(): Option {
  return new Option(
    '--socket <path>',
    `where its status is asked for, by root alone (default: ${SOCKET_VARIABLE}, ${DEFAULT_SOCKET})`,
  );
}

export function socketOf(
  { socket }: { readonly socket?: string },
  env: Readonly<Record<string, string | undefined>>,
): string {
  return socket ?? (env[SOCKET_VARIABLE]?.trim() || DEFAULT_SOCKET);
}
