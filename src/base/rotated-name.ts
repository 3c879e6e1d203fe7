/**
 * Names of log files that were put aside: `cni-2026-11-21T10-26-38.709-size.log`, with `.zst` when compressed. They sort
 * by time, and are those of Calico's own plugin, so that either one removes what the other left. Pure.
 */

import { parse } from 'node:path';

export interface RotatedFile {
  readonly name: string;
  /** When it was put aside, milliseconds since the epoch. */
  readonly atMs: number;
  readonly isCompressed: boolean;
}

export function rotatedName(logFile: string, atMs: number): string {
  const { name, ext } = parse(logFile);
  const stamp = new Date(atMs).toISOString().replace(/:/g, '-').replace('Z', '');
  return `${name}-${stamp}-size${ext}`;
}

/** Older releases of Calico's plugin left the reason out, and compressed with gzip. */
const STAMP = /^-(?<date>\d{4}-\d\d-\d\d)T(?<hour>\d\d)-(?<minute>\d\d)-(?<second>\d\d\.\d{3})(?:-[a-z]+)?$/;
const COMPRESSED = /\.(?:zst|gz)$/;

/** `undefined` for a file that is not one of this log. */
export function parseRotatedName(name: string, logFile: string): RotatedFile | undefined {
  const { name: stem, ext } = parse(logFile);
  const plain = name.replace(COMPRESSED, '');
  if (!plain.startsWith(stem) || !plain.endsWith(ext)) return undefined;
  const { date, hour, minute, second } =
    STAMP.exec(plain.slice(stem.length, plain.length - ext.length))?.groups ?? {};
  const atMs = Date.parse(`${date}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(atMs) ? undefined : { name, atMs, isCompressed: plain !== name };
}
