/** What a check found, as data that `ipam release --from-report` reads again. Pure. */

import * as z from 'zod/mini';
import { CalicoError } from '../../base/calico-error.ts';
import { formatCidr, parseCidr } from '../../base/cidr.ts';
import { type Damage, type Finding, isDamage } from '../../ipam/audit/damage.ts';
import type { Repair } from '../../ipam/audit/repair.ts';

export interface CheckReport {
  /** RFC 3339. */
  readonly madeAt: string;
  /** Of the datastore, at which everything was as it was found. */
  readonly revision: string;
  /** How many records of each kind. */
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

const VERSION = 1;

/** As it is written: JSON or YAML. */
export function reportData({ madeAt, revision, counts, findings }: CheckReport) {
  return { version: VERSION, madeAt, revision, counts, findings: findings.map(findingData) };
}

function findingData({ repair, ...finding }: Finding) {
  return { ...finding, ...(repair && { repair: repairData(repair) }) };
}

function repairData(repair: Repair) {
  switch (repair.record) {
    case 'address': {
      const { block, ordinal, handleId, sequenceNumber, owner } = repair.seen;
      const number = sequenceNumber?.toString();
      return {
        record: 'address',
        block: formatCidr(block),
        ordinal,
        handleId,
        sequenceNumber: number,
        owner,
      };
    }
    case 'handle':
      return { ...repair, blocks: repair.blocks.map(formatCidr) };
    case 'affinity':
    case 'block':
      return { ...repair, cidr: formatCidr(repair.cidr) };
  }
}

const cidr = z.pipe(z.string(), z.transform(parseCidr));
const damage = z.custom<Damage>(isDamage, 'it is no kind of damage that this version knows');
const repair = z.discriminatedUnion('record', [
  z.object({
    record: z.literal('address'),
    block: cidr,
    ordinal: z.number(),
    handleId: z.string(),
    sequenceNumber: z.optional(z.string().check(z.regex(/^\d{1,20}$/))),
    owner: z.record(z.string(), z.string()),
  }),
  z.object({
    record: z.literal('handle'),
    handleId: z.string(),
    revision: z.string(),
    blocks: z.array(cidr),
  }),
  z.object({ record: z.literal('affinity'), nodeName: z.string(), cidr, revision: z.string() }),
  z.object({ record: z.literal('block'), cidr, nodeName: z.optional(z.string()) }),
]);
const reportSchema = z.object({
  version: z.literal(VERSION),
  madeAt: z.string(),
  revision: z.string(),
  counts: z.record(z.string(), z.number()),
  findings: z.array(z.object({ damage, key: z.string(), text: z.string(), repair: z.optional(repair) })),
});

/** Throws `config`, naming the file, for what is no report. */
export function parseReport(text: string, path: string): CheckReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrongReport(path, 'it is not JSON', cause);
  }
  let parsed: ReturnType<typeof reportSchema.safeParse>;
  try {
    parsed = reportSchema.safeParse(value);
  } catch (cause) {
    throw wrongReport(path, 'a CIDR in it cannot be read', cause);
  }
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrongReport(path, `${issue?.path.join('.') || 'it'}: ${issue?.message}`, parsed.error);
  }
  return { ...parsed.data, findings: parsed.data.findings.map(findingOf) };
}

type Parsed = z.infer<typeof reportSchema>['findings'][number];

function findingOf({ repair: found, ...finding }: Parsed): Finding {
  return found === undefined ? finding : { ...finding, repair: repairOf(found) };
}

function repairOf(found: NonNullable<Parsed['repair']>): Repair {
  if (found.record === 'block') return { ...found, nodeName: found.nodeName };
  if (found.record !== 'address') return found;
  const { sequenceNumber, record: _, ...seen } = found;
  const number = sequenceNumber === undefined ? undefined : BigInt(sequenceNumber);
  return { record: 'address', seen: { ...seen, sequenceNumber: number } };
}

function wrongReport(path: string, why: string, cause: unknown): CalicoError {
  return new CalicoError('config', `${path} is no report of calico ipam check: ${why}`, {
    details: 'make one with calico ipam check --report FILE',
    cause,
  });
}
