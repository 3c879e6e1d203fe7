/** The MTU that Felix found for pods, in a file that every plugin call reads. */

import { readFileSync } from 'node:fs';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { shorten } from '../base/json-object.ts';
import { isMtu } from './check-values.ts';

export const MTU_FILE = '/var/lib/calico/mtu';

export interface MtuFacts {
  /** `mtu` of the configuration. */
  readonly confMtu: number | undefined;
  /** What the MTU file holds; `undefined` when there is none. */
  readonly fileText: string | undefined;
}

/**
 * The configuration's MTU, else the file's, where 0 is none; `undefined` leaves the choice to the kernel. Throws
 * `config` when the file does not hold an MTU, even if the configuration has one.
 */
export function chooseMtu({ confMtu, fileText }: MtuFacts): number | undefined {
  const fileMtu = fileText === undefined ? 0 : parseMtu(fileText.trim());
  return confMtu ?? (fileMtu || undefined);
}

function parseMtu(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value === 0 || isMtu(value)) return value;
  throw new CalicoError('config', `failed to read MTU file: ${JSON.stringify(shorten(text))} is no MTU`, {
    details: `calico/node writes ${MTU_FILE}: correct or remove it, even where the network configuration sets mtu`,
  });
}

/** The text of the MTU file. Throws `config` when it cannot be read, and when there is none but must be. */
export function readMtuFile(required: boolean, path: string = MTU_FILE): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing && !required) return undefined;
    throw new CalicoError('config', `failed to read MTU file: ${errorText(cause)}`, { cause });
  }
}
