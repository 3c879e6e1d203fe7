/** The CNI versions this program speaks, and how they compare. Pure. */

import { CalicoError } from '../base/calico-error.ts';

/** Oldest first, the order in which VERSION lists them. */
export const SUPPORTED_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type CniVersion = (typeof SUPPORTED_VERSIONS)[number];

export const NEWEST_VERSION: CniVersion = '1.1.0';

/** What a configuration without `cniVersion` is taken to be (CNI 0.1.0 had no such key). */
export const UNDECLARED_VERSION: CniVersion = '0.1.0';

/** The version of the result that Calico's ADD prints when the configuration has no `cniVersion`. */
export const UNDECLARED_RESULT_VERSION: CniVersion = '0.2.0';

/** Whether the text is exactly one of the versions; `0.4` is not. */
export function isSupportedVersion(text: string): text is CniVersion {
  return SUPPORTED_VERSIONS.some((version) => version === text);
}

/** Negative, zero or positive, as for sort. Missing parts count as 0. Throws `decode` when a text is no version. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [parseVersion(a), parseVersion(b)];
  const differing = first.findIndex((part, i) => part !== second[i]);
  return (first[differing] ?? 0) - (second[differing] ?? 0);
}

/** Throws `version` unless the configuration's version is exactly one of ours. */
export function requireSupportedVersion(version: string): CniVersion {
  if (isSupportedVersion(version)) return version;
  const ours = SUPPORTED_VERSIONS.map((supported) => JSON.stringify(supported)).join(' ');
  throw new CalicoError('version', 'incompatible CNI versions', {
    details: `config is ${JSON.stringify(version)}, plugin supports [${ours}]`,
  });
}

/** What VERSION prints: one line (CNI 1.1 §VERSION). */
export function formatVersionOutput(): string {
  return `${JSON.stringify({ cniVersion: NEWEST_VERSION, supportedVersions: SUPPORTED_VERSIONS })}\n`;
}

const PARTS = ['major', 'minor', 'micro'] as const;

function parseVersion(text: string): readonly number[] {
  const parts = text.split('.');
  if (parts.length > PARTS.length) {
    throw new CalicoError('decode', `invalid version ${JSON.stringify(text)}: too many parts`);
  }
  return PARTS.map((name, i) => parsePart(name, parts[i] ?? '0'));
}

function parsePart(name: string, part: string): number {
  if (/^\d+$/.test(part)) return Number(part);
  const quoted = JSON.stringify(part);
  throw new CalicoError('decode', `failed to convert ${name} version part ${quoted}: it is not a number`);
}
