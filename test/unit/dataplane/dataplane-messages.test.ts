import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { dataplaneProtocol } from '../../../build/generate-dataplane-messages.ts';
import {
  type AddRequest,
  type DelRequest,
  readAddReply,
  readDelReply,
  writeAddRequest,
  writeDelRequest,
} from '../../../src/dataplane/dataplane-messages.ts';
import { finishMessage, newMessage, type Writer } from '../../../src/grpc/protobuf/writer.ts';

/** protobufjs is the reference. */
const protocol = dataplaneProtocol();
const reference = (name: string): protobuf.Type => protocol.lookupType(`cni.${name}`);

function written<T>(write: (writer: Writer, message: T) => void, message: T): string {
  const writer = newMessage();
  write(writer, message);
  return finishMessage(writer).toString('hex');
}

function expected(name: string, message: object): string {
  const type = reference(name);
  return Buffer.from(type.encode(type.fromObject(message)).finish()).toString('hex');
}

const optional: { requiredKeys: [] } = { requiredKeys: [] };
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 100, maxLength: 300 }));
// protobufjs leaves out the key that JavaScript has its own idea of.
const map = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  text,
  { noNullPrototype: true },
);
const port = fc.record(
  { name: text, protocol: text, port: fc.nat(65_535), host_port: fc.nat(2 ** 32 - 1), host_ip: text },
  optional,
);
const workload = fc.record(
  {
    name: text,
    namespace: text,
    labels: map,
    annotations: map,
    endpoint: text,
    node: text,
    orchestrator: text,
    pod: text,
    ports: fc.array(port),
  },
  optional,
);
const addRequest: fc.Arbitrary<AddRequest> = fc.record(
  {
    interface_name: text,
    netns: text,
    desired_host_interface_name: text,
    settings: fc.record({ allow_ip_forwarding: fc.boolean(), mtu: fc.integer() }, optional),
    container_ips: fc.array(fc.record({ address: text, gateway: text }, optional)),
    container_routes: fc.array(text),
    workload,
    dataplane_options: map,
  },
  optional,
);
const delRequest: fc.Arbitrary<DelRequest> = fc.record(
  { interface_name: text, netns: text, dataplane_options: map },
  optional,
);

describe('the requests', () => {
  it('are written as protobufjs writes them', () => {
    fc.assert(
      fc.property(addRequest, delRequest, (add, del) => {
        expect(written(writeAddRequest, add)).toBe(expected('AddRequest', add));
        expect(written(writeDelRequest, del)).toBe(expected('DelRequest', del));
      }),
    );
  });

  it('have these bytes', () => {
    const request: AddRequest = {
      interface_name: 'eth0',
      settings: { allow_ip_forwarding: true, mtu: -1 },
      workload: { ports: [{ port: 8080 }] },
      dataplane_options: { type: 'grpc' },
    };
    expect(written(writeAddRequest, request)).toBe(
      [
        `0a04${hex('eth0')}`,
        '220d080110ffffffffffffffffff01',
        '3a054a03' + '18903f',
        `420c0a04${hex('type')}1204${hex('grpc')}`,
      ].join(''),
    );
  });
});

describe('the replies', () => {
  it('are read as protobufjs reads them', () => {
    const reply = fc.record(
      { successful: fc.boolean(), error_message: text, host_interface_name: text, container_mac: text },
      optional,
    );
    fc.assert(
      fc.property(reply, (message) => {
        for (const [name, read] of [
          ['AddReply', readAddReply],
          ['DelReply', readDelReply],
        ] as const) {
          const type = reference(name);
          const encoded = Buffer.from(expected(name, message), 'hex');
          expect(read(encoded)).toEqual(type.toObject(type.decode(encoded), { defaults: true }));
        }
      }),
    );
  });

  it('may have fields of later versions, and are refused when they are cut', () => {
    expect(readDelReply(Buffer.from('08017a0161', 'hex'))).toEqual({ successful: true, error_message: '' });
    expect(() => readDelReply(Buffer.from('08017a0261', 'hex'))).toThrow(RangeError);
  });
});

function hex(value: string): string {
  return Buffer.from(value).toString('hex');
}
