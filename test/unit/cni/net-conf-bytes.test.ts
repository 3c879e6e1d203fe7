import { describe, expect, it } from 'vitest';
import { decodeNetConf } from '../../../src/cni/net-conf-bytes.ts';

describe('decodeNetConf()', () => {
  it('keeps the text and the decoded object', () => {
    const text = ' {"cniVersion":"1.0.0", "name":"net1", "big": 18446744073709551615}\n';
    expect(decodeNetConf(text)).toEqual({
      text,
      json: JSON.parse(text),
      cniVersion: '1.0.0',
      resultVersion: '1.0.0',
      name: 'net1',
    });
  });

  it.each(['{"name":"n"}', '{"name":"n","cniVersion":""}', '{"name":"n","cniVersion":null}'])(
    'takes %s for 0.1.0, with a 0.2.0 result',
    (text) => {
      expect(decodeNetConf(text)).toMatchObject({ cniVersion: '0.1.0', resultVersion: '0.2.0' });
    },
  );

  it('finds keys in other cases', () => {
    expect(decodeNetConf('{"NAME":"n","CNIVersion":"0.4.0"}')).toMatchObject({
      name: 'n',
      cniVersion: '0.4.0',
    });
  });

  it.each([
    ['', 'Unexpected end of JSON input'],
    ['[]', 'it must be a JSON object, found an array'],
    ['5', 'it must be a JSON object, found number 5'],
    ['"x"', 'it must be a JSON object, found string "x"'],
    ['{"name":5}', 'name must be a string, found number 5'],
    ['{"name":"n","cniVersion":1.1}', 'cniVersion must be a string, found number 1.1'],
    ['{"k8s_auth_token":"secret" "x":1}', expect.stringMatching(/Expected ',' or '}' after property value/)],
    ['{"k8s_auth_token": secret}', "Unexpected token 's'"],
    ['k8s_auth_token: secret', "Unexpected token 'k'"],
  ])('refuses %j with a decode error that quotes nothing of it', (text, why) => {
    const expected = typeof why === 'string' ? `error unmarshall network config: ${why}` : why;
    try {
      decodeNetConf(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ kind: 'decode', message: expected });
      expect(String(error)).not.toMatch(/secret/);
    }
  });

  it('refuses what is nested deeper than any stack', () => {
    const text = `{"name":"net1","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect(() => decodeNetConf(text)).toThrow('error unmarshall network config: it is nested too deep');
  });

  it.each(['{}', 'null', '{"name":""}', '{"name":null}'])('refuses %s, which has no name', (text) => {
    expect(() => decodeNetConf(text)).toThrow(
      expect.objectContaining({ kind: 'config', message: 'missing network name' }),
    );
  });

  it.each(['-a', 'a b', 'a/b', '.', 'n\u00e9t'])('refuses the name %j', (name) => {
    expect(() => decodeNetConf(JSON.stringify({ name }))).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: 'invalid characters found in network name',
        details: name,
      }),
    );
  });
});
