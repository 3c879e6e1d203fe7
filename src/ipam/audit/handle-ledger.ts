/** Compares what suspect handles count with what blocks hold. */

import { type Cidr, formatCidr } from '../../base/cidr.ts';
import { ABSENT, type Revision } from '../../base/revision.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import { cleanHandleId } from '../handle-id.ts';
import type { Handle } from '../records.ts';
import type { Finding } from './damage.ts';
import { holders } from './holders.ts';
import { canonical, type Suspects } from './sieve.ts';

/** What a handle says of one block; nearly every handle names only one. */
interface Count {
  readonly cidrText: string;
  readonly count: number;
  readonly next: Count | undefined;
}

interface Account {
  readonly key: string;
  readonly revision: Revision;
  /** Of blocks that have not been seen. */
  readonly counts: Count | undefined;
}

/** What the blocks that were seen say otherwise than the handle. */
interface Difference {
  readonly problems: readonly string[];
  /** Blocks that it holds something in and does not name. */
  readonly unnamed: readonly Cidr[];
}

export interface HandleLedger {
  add(key: string, handleId: string, handle: Handle, revision: Revision): void;
  compare(key: string, block: AllocationBlock): void;
  finish(): void;
}

const NO_DIFFERENCE: Difference = { problems: [], unnamed: [] };

export function createHandleLedger(suspects: Suspects, report: (finding: Finding) => void): HandleLedger {
  /** By clean ID. */
  const accounts = new Map<string, Account>();
  /** Of handles that some block holds addresses of. */
  const differences = new Map<string, Difference>();
  /** Blocks by the ID of handles that have no record. */
  const missing = new Map<string, { readonly key: string; readonly cidrs: Cidr[] }>();

  function compareOne(handleId: string, held: number, key: string, { cidr }: AllocationBlock): void {
    const account = accounts.get(handleId);
    if (account === undefined) {
      noteMissing(handleId, key, cidr);
      return;
    }
    const text = formatCidr(cidr);
    const count = countOf(account.counts, text);
    const counts = without(account.counts, text);
    const { problems, unnamed } = differences.get(handleId) ?? NO_DIFFERENCE;
    accounts.set(handleId, { ...account, counts });
    const isEqual = count === held && differences.get(handleId) === undefined;
    const difference = {
      problems:
        count === held ? problems : [...problems, `counts ${count ?? 0} in ${text}, which holds ${held}`],
      unnamed: count === undefined ? [...unnamed, cidr] : unnamed,
    };
    differences.set(handleId, isEqual ? NO_DIFFERENCE : difference);
  }

  function noteMissing(handleId: string, key: string, cidr: Cidr): void {
    const known = missing.get(handleId);
    if (known === undefined) missing.set(handleId, { key, cidrs: [cidr] });
    else known.cidrs.push(cidr);
  }

  return {
    add: (key, handleId, { addressCounts }, revision) => {
      if (!suspects.hasHandle(handleId)) return;
      let counts: Count | undefined;
      for (const [cidrText, count] of addressCounts)
        counts = { cidrText: canonical(cidrText), count, next: counts };
      accounts.set(cleanHandleId(handleId), { key, revision, counts });
    },
    compare: (key, block) => {
      for (const [handleId, held] of holders(block))
        if (suspects.hasHandle(handleId)) compareOne(handleId, held, key, block);
    },
    finish: () => {
      for (const [handleId, account] of accounts) {
        const finding = judge(handleId, account, differences.get(handleId));
        if (finding !== undefined) report(finding);
      }
      for (const [handleId, { key, cidrs }] of missing) report(missingHandle(handleId, key, cidrs));
    },
  };
}

/** `difference`: `undefined` when no block holds anything of it. */
function judge(handleId: string, account: Account, difference: Difference | undefined): Finding | undefined {
  const { key, revision } = account;
  const name = `handle ${JSON.stringify(handleId)}`;
  const repair = { record: 'handle', handleId, revision, blocks: difference?.unnamed ?? [] } as const;
  if (difference === undefined)
    return { damage: 'leaked-handle', key, text: `${name} holds no address`, repair };
  const problems = [...difference.problems];
  for (let left = account.counts; left !== undefined; left = left.next)
    problems.push(`counts ${left.count} in ${left.cidrText}, which holds none of it`);
  if (problems.length === 0) return undefined;
  return { damage: 'wrong-handle-count', key, text: `${name} ${problems.join(', ')}`, repair };
}

function missingHandle(handleId: string, key: string, blocks: readonly Cidr[]): Finding {
  return {
    damage: 'missing-handle',
    key,
    text: `handle ${JSON.stringify(handleId)} holds addresses in ${blocks.map(formatCidr).join(', ')} and has no record`,
    repair: { record: 'handle', handleId, revision: ABSENT, blocks },
  };
}

function countOf(counts: Count | undefined, cidrText: string): number | undefined {
  for (let one = counts; one !== undefined; one = one.next) if (one.cidrText === cidrText) return one.count;
  return undefined;
}

function without(counts: Count | undefined, cidrText: string): Count | undefined {
  if (counts === undefined) return undefined;
  const next = without(counts.next, cidrText);
  return counts.cidrText === cidrText ? next : { ...counts, next };
}
