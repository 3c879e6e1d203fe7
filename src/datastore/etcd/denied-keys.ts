/**
 * Which keys a user may not read or write. etcd says "permission denied" for a whole transaction; so each of its keys
 * is asked for by itself, in a way that changes nothing: what would write is bound to a revision that no key has.
 */

import { CallError } from '../../grpc/call-error.ts';
import type { Compare, RequestOp, TxnRequest } from './etcd-messages.ts';
import { refusalOf } from './refusal.ts';

/** A bound on what an error may cost. */
const MAX_PROBES = 32;
const NEVER = '9223372036854775807';

interface Probe {
  /** `read /calico/…`, with a `*` at the end of a prefix. */
  readonly what: string;
  readonly request: TxnRequest;
}

/** `write /calico/ipam/…`, in the order of the request; `ask` rejects as an endpoint does. */
export async function deniedKeys(
  request: TxnRequest,
  ask: (probe: TxnRequest) => Promise<unknown>,
): Promise<readonly string[]> {
  const isDenied = await Promise.all(
    probesOf(request).map(async (probe) => {
      try {
        await ask(probe.request);
        return [];
      } catch (error) {
        return error instanceof CallError && refusalOf(error) === 'permission' ? [probe.what] : [];
      }
    }),
  );
  return isDenied.flat();
}

function probesOf({ compare = [], success = [], failure = [] }: TxnRequest): readonly Probe[] {
  const probes = [...compare.map(readOf), ...[...success, ...failure].map(probeOf)];
  return [...new Map(probes.map((probe) => [probe.what, probe])).values()].slice(0, MAX_PROBES);
}

function readOf({ key }: Compare): Probe {
  return probeOf({ request_range: key === undefined ? {} : { key } });
}

function probeOf(op: RequestOp): Probe {
  const { request_range: range, request_put: put, request_delete_range: removal } = op;
  if (range !== undefined) {
    const what = `read ${range.key}${range.range_end === undefined ? '' : '*'}`;
    return { what, request: { success: [{ request_range: { ...range, keys_only: true, limit: 1 } }] } };
  }
  const key = put?.key ?? removal?.key ?? Buffer.alloc(0);
  const compare = [{ key, target: 'Mod', result: 'Equal', mod_revision: NEVER }] as const;
  return { what: `write ${key}`, request: { compare, success: [op] } };
}
