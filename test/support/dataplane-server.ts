/** A gRPC dataplane for tests: `@grpc/grpc-js` with the messages as their protocol definition has them. */

import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';
import { DATAPLANE_PROTOCOL_PATH } from '../../build/generate-dataplane-messages.ts';

const OPTIONS = { keepCase: true, defaults: true, arrays: true, objects: true } as const;
const DEFINITION = loadPackageDefinition(loadSync(DATAPLANE_PROTOCOL_PATH, OPTIONS));

type Call = ServerUnaryCall<unknown, unknown>;

/** Answers a call, or never does. */
export type Handler = (call: Call, answer: sendUnaryData<unknown>) => void;

/** Serves at `unix:///path` or `host:port` until the test ends; gives the port. */
export async function serveDataplane(
  address: string,
  methods: { readonly Add?: Handler; readonly Del?: Handler },
): Promise<number> {
  const server = new Server();
  server.addService(serviceDefinition(), {
    Add: (call: Call, answer: sendUnaryData<unknown>) => methods.Add?.(call, answer),
    Del: (call: Call, answer: sendUnaryData<unknown>) => methods.Del?.(call, answer),
  });
  onTestFinished(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

function serviceDefinition() {
  const { cni } = DEFINITION;
  const service = cni !== undefined && 'CniDataplane' in cni ? cni.CniDataplane : undefined;
  if (typeof service !== 'function' || !('service' in service)) throw new Error('no such service');
  return service.service;
}
