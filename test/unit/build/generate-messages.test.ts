import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { DATAPLANE_MESSAGES_PATH, dataplaneMessageFile } from '../../../build/generate-dataplane-messages.ts';
import { ETCD_MESSAGES_PATH, etcdMessageFile } from '../../../build/generate-etcd-messages.ts';
import { generateMessages, type MessageSelection } from '../../../build/generate-messages.ts';

describe('generateMessages()', () => {
  it.each([
    ['etcd', etcdMessageFile, ETCD_MESSAGES_PATH],
    ['the dataplane', dataplaneMessageFile, DATAPLANE_MESSAGES_PATH],
  ])(
    'writes for %s what is in the source: nobody has edited it, and the protocol is still the same',
    (_, file, path) => {
      expect(generateMessages(file())).toBe(readFileSync(path, 'utf8'));
    },
  );

  it('fails when the protocol no longer has a field that is used', () => {
    const file = etcdMessageFile();
    const { PutRequest } = file.protocol.lookupTypeOrEnum('etcdserverpb.PutRequest').parent?.nested ?? {};
    if (PutRequest instanceof protobuf.Type) PutRequest.remove(PutRequest.get('value') ?? PutRequest);
    expect(() => generateMessages(file)).toThrow('etcdserverpb.PutRequest has no field value');
  });

  const sent: [MessageSelection, MessageSelection] = [{ M: ['f'] }, {}];
  const received: [MessageSelection, MessageSelection] = [{}, { M: ['f'] }];
  it.each([
    ['double f = 1;', ...sent, '.M.f: no code for fields of type double yet'],
    ['repeated int32 f = 1;', ...sent, '.M.f: no code for lists of numbers yet'],
    ['map<string, int32> f = 1;', ...sent, '.M.f: no code for maps other than from text to text yet'],
    ['int32 f = 1;', ...received, '.M.f: no code that reads fields of its type yet'],
    ['map<string, string> f = 1;', ...received, '.M.f: no code that reads fields of its type yet'],
  ])('fails where it has no code: %s', (field, ofSent, ofReceived, why) => {
    const text = `syntax = "proto3"; message M { ${field} }`;
    const protocol = protobuf.parse(text, { keepCase: true }).root;
    protocol.resolveAll();
    const file = { protocol, sent: ofSent, received: ofReceived, head: '', protobufFolder: '.' };
    expect(() => generateMessages(file)).toThrow(why);
  });
});
