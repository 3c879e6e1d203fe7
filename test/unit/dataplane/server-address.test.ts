import { describe, expect, it } from 'vitest';
import { parseServerAddress } from '../../../src/dataplane/server-address.ts';

describe('parseServerAddress()', () => {
  it.each([
    ['unix:///run/dataplane.sock', '/run/dataplane.sock'],
    ['unix:/run/dataplane.sock', '/run/dataplane.sock'],
    ['unix:here.sock', 'here.sock'],
    ['/run/with space:80.sock', '/run/with space:80.sock'],
    ['passthrough:///unix:///run/dataplane.sock', '/run/dataplane.sock'],
    ['unix-abstract:dataplane', '\0dataplane'],
  ])('reads %s as a socket of this machine', (text, path) => {
    expect(parseServerAddress(text)).toEqual({ peer: { path }, authority: 'localhost' });
  });

  it.each([
    ['127.0.0.1:9000', '127.0.0.1', 9000],
    ['dataplane.example:1', 'dataplane.example', 1],
    ['[fe80::1%eth0]:65535', 'fe80::1%eth0', 65_535],
    ['passthrough:///localhost:9000', 'localhost', 9000],
    ['passthrough:localhost:9000', 'localhost', 9000],
    ['dns:///localhost:9000', 'localhost', 9000],
  ])('reads %s as a host and a port', (text, host, port) => {
    const authority = text.replace(/^(?:passthrough|dns):(?:\/\/\/)?/, '');
    expect(parseServerAddress(text)).toEqual({ peer: { host, port }, authority });
  });

  it.each([
    '',
    'unix:',
    'unix://',
    'unix://relative',
    'localhost',
    'localhost:',
    'localhost:0',
    'localhost:65536',
    '::1:80',
    'http://localhost:80',
    'dns://8.8.8.8/localhost:80',
    'xds:///dataplane',
  ])('refuses %j', (text) => {
    expect(() => parseServerAddress(text)).toThrow(
      `invalid dataplane_options.socket ${JSON.stringify(text)}: it must be like unix:///run/dataplane.sock or 127.0.0.1:9000`,
    );
  });
});
