import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { etcdProtocol, generateMessages, MESSAGES_PATH } from '../../../build/generate-etcd-messages.ts';

describe('generateMessages()', () => {
  it('writes what is in the source: nobody has edited it, and the protocol is still the same', () => {
    expect(generateMessages(etcdProtocol())).toBe(readFileSync(MESSAGES_PATH, 'utf8'));
  });

  it('fails when the protocol no longer has a field that is used', () => {
    const protocol = etcdProtocol();
    const { PutRequest } = protocol.lookupTypeOrEnum('etcdserverpb.PutRequest').parent?.nested ?? {};
    if (PutRequest instanceof protobuf.Type) PutRequest.remove(PutRequest.get('value') ?? PutRequest);
    expect(() => generateMessages(protocol)).toThrow('etcdserverpb.PutRequest has no field value');
  });
});
