/** The Leases on etcd v3. Each call is one message each way; connections stay for the next one. */

import type { Clock, Deadline } from '../../base/deadline.ts';
import { CallError } from '../../grpc/call-error.ts';
import type { Method } from '../../grpc/method.ts';
import type { Leases } from '../leases.ts';
import { askerOf } from './asker.ts';
import { connectorOf, type OnConnection } from './connector.ts';
import {
  readLeaseGrantResponse,
  readLeaseKeepAliveResponse,
  readLeaseRevokeResponse,
  writeLeaseGrantRequest,
  writeLeaseKeepAliveRequest,
  writeLeaseRevokeRequest,
} from './etcd-messages.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import { openGrpcEndpoint } from './grpc-endpoint.ts';
import { readPemFiles } from './pem-files.ts';
import { type EndpointFailure, isTransient, storeError } from './refusal.ts';

const GRANT = {
  path: '/etcdserverpb.Lease/LeaseGrant',
  write: writeLeaseGrantRequest,
  read: readLeaseGrantResponse,
};
/** A stream of which one message each way is enough. */
const KEEP_ALIVE = {
  path: '/etcdserverpb.Lease/LeaseKeepAlive',
  write: writeLeaseKeepAliveRequest,
  read: readLeaseKeepAliveResponse,
};
const REVOKE = {
  path: '/etcdserverpb.Lease/LeaseRevoke',
  write: writeLeaseRevokeRequest,
  read: readLeaseRevokeResponse,
};
/** How long one endpoint may take before another is asked. */
const ATTEMPT_MS = 3_000;

export function openEtcdLeases(
  settings: EtcdSettings,
  clock: Clock,
  { onConnection }: { readonly onConnection?: OnConnection } = {},
): Leases {
  const pem = readPemFiles(settings);
  const session = {
    connect: connectorOf(settings, pem, onConnection),
    clock,
    user: settings.user,
    token: undefined,
  };
  const endpoints = settings.endpoints.map((url) => openGrpcEndpoint(url, session));
  const asker = askerOf(settings, pem, clock);
  let preferred = 0;

  /** Each endpoint once. */
  async function ask<Request, Answer>(
    method: Method<Request, Answer>,
    request: Request,
    { remainingMs, interruption }: Deadline,
  ): Promise<Answer> {
    const failures: EndpointFailure[] = [];
    for (const _try of endpoints) {
      const endpoint = endpoints[preferred % endpoints.length];
      if (endpoint === undefined || remainingMs() === 0) break;
      try {
        return await endpoint.ask(method, request, Math.min(ATTEMPT_MS, remainingMs()), interruption);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        failures.push({ url: endpoint.url, error });
        if (!isTransient(error)) break;
        preferred += 1;
      }
    }
    throw storeError(failures, asker);
  }

  return {
    grant: async (seconds, deadline) => (await ask(GRANT, { TTL: seconds }, deadline)).ID,
    renew: async (lease, deadline) => (await ask(KEEP_ALIVE, { ID: lease }, deadline)).TTL !== '0',
    revoke: async (lease, deadline) => {
      try {
        await ask(REVOKE, { ID: lease }, deadline);
      } catch (error) {
        if (!(error instanceof Error && /requested lease not found/.test(error.message))) throw error;
      }
    },
    close: () => {
      for (const endpoint of endpoints) endpoint.close();
    },
  };
}
