/** The endpoints of an etcd cluster that announces itself in the DNS (SRV records, RFC 2782). */

import type { SrvRecord } from 'node:dns';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import { type Deadline, unlessInterrupted } from '../../base/deadline.ts';

export interface Discovery {
  readonly deadline: Deadline;
  /** A number in [0, 1), fresh on each call. */
  readonly random: () => number;
  /** A certificate or a CA is configured: then nothing is said to an endpoint without TLS. */
  readonly wantsTls: boolean;
  /** Address and port of name servers; those of the system when absent. */
  readonly nameServers?: readonly string[];
}

/** What etcd's own clients look for: endpoints with TLS, and those without. */
const SERVICES = [
  { scheme: 'https', service: '_etcd-client-ssl._tcp' },
  { scheme: 'http', service: '_etcd-client._tcp' },
] as const;

/** How long a name server may take, and how often it is asked: one that is down must not use up the call's time. */
const QUERY = { timeout: 1_000, tries: 3 };
const NAME = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i;

/**
 * URLs in the order in which they are to be asked. Records with TLS are looked for first, and others only when the DNS
 * says that there are none: one that is silent must not make us do without. Throws `unavailable`, or `config` when
 * only endpoints without TLS are there and TLS is wanted.
 */
export async function discoverEndpoints(domain: string, discovery: Discovery): Promise<readonly string[]> {
  const { deadline, random, wantsTls } = discovery;
  for (const { scheme, service } of SERVICES) {
    const name = `${service}.${domain}`;
    const records = await unlessInterrupted(deadline, lookUp(name, discovery));
    const endpoints = inOrder(records, random).map(({ name: host, port }) => `${scheme}://${host}:${port}`);
    if (endpoints.length === 0) continue;
    if (scheme === 'https' || !wantsTls) return endpoints;
    throw new CalicoError(
      'config',
      `failed to discover etcd endpoints through SRV discovery: only ${name} is there, endpoints without TLS, but TLS files are configured`,
      { details: `add SRV records ${SERVICES[0].service}.${domain}, or leave out the TLS files` },
    );
  }
  throw undiscovered(
    `no SRV records ${SERVICES.map(({ service }) => `${service}.${domain}`).join(' or ')}`,
    domain,
  );
}

/** Empty when there are none. */
async function lookUp(name: string, { deadline, nameServers }: Discovery): Promise<readonly SrvRecord[]> {
  const { Resolver } = process.getBuiltinModule('node:dns').promises;
  const resolver = new Resolver({ ...QUERY, maxTimeout: QUERY.timeout });
  if (nameServers !== undefined) resolver.setServers(nameServers);
  const alarm = setTimeout(() => resolver.cancel(), deadline.remainingMs());
  try {
    const records = await resolver.resolveSrv(name);
    return records.filter(({ name: host, port }) => port > 0 && NAME.test(host));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw undiscovered(
      `${name}: ${code === 'ECANCELLED' ? 'no answer in time' : errorText(error)}`,
      name,
      error,
    );
  } finally {
    clearTimeout(alarm);
  }
}

function undiscovered(why: string, name: string, cause?: unknown): CalicoError {
  return new CalicoError('unavailable', `failed to discover etcd endpoints through SRV discovery: ${why}`, {
    details: `check etcd_discovery_srv and what the name servers of /etc/resolv.conf say: dig SRV ${name}`,
    cause,
  });
}

/** Lower priorities first; among equals by chance, in proportion to their weights. */
export function inOrder(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const drawn = records.map((record) => ({ record, draw: drawOf(record.weight, random()) }));
  drawn.sort((a, b) => a.record.priority - b.record.priority || b.draw - a.draw);
  return drawn.map(({ record }) => record);
}

/** The larger, the likelier to come first (Efraimidis and Spirakis); a weight of 0 has a chance, too. */
function drawOf(weight: number, chance: number): number {
  return chance ** (1 / (weight || 0.5));
}
