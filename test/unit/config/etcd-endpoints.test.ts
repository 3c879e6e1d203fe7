import { describe, expect, it } from 'vitest';
import { parseEndpoints } from '../../../src/config/etcd-endpoints.ts';

describe('parseEndpoints()', () => {
  it.each([
    ['http://127.0.0.1:2379', ['http://127.0.0.1:2379']],
    ['https://a.example:443/', ['https://a.example:443']],
    ['http://a:80', ['http://a:80']],
    ['HTTP://A:1', ['http://a:1']],
    ['etcd-0.etcd:2379', ['https://etcd-0.etcd:2379']],
    ['etcd', ['https://etcd:2379']],
    ['http://etcd', ['http://etcd:2379']],
    ['http://[fd00::1]:2379', ['http://[fd00::1]:2379']],
    ['[::1]', ['https://[::1]:2379']],
    ['https://a:1, https://b:2 ,,c:3', ['https://a:1', 'https://b:2', 'https://c:3']],
  ])('%s', (list, endpoints) => {
    expect(parseEndpoints(list)).toEqual(endpoints);
  });

  it.each([
    'unix:///run/etcd.sock',
    'http://',
    'http://a:0',
    'http://a:65536',
    'http://a:b',
    'http://a/path',
    'http://a?x=1',
    'http://[fd00:::1]:1',
    'http://[1.2.3]:1',
    'fd00::1',
    'a b',
    'http://a:1;http://b:1',
  ])('refuses %s', (list) => {
    expect(() => parseEndpoints(list)).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: `invalid etcd endpoint ${JSON.stringify(list)}: it must be like https://host:2379`,
      }),
    );
  });

  it('does not repeat credentials', () => {
    expect(() => parseEndpoints('http://root:pw@a:1')).toThrow(
      'invalid etcd endpoint a URL with credentials: it must be like https://host:2379',
    );
  });

  it.each(['', ',', '  '])('refuses %j, which is none, and says where to set them', (list) => {
    expect(() => parseEndpoints(list)).toThrow(
      expect.objectContaining({
        message: 'no etcd endpoints specified',
        details: 'set etcd_endpoints in the network configuration or ETCD_ENDPOINTS in the environment',
      }),
    );
  });

  it('refuses a mixture of schemes', () => {
    expect(() => parseEndpoints('http://a:1,b:2')).toThrow(
      'invalid etcd endpoints: use either http or https for all of them',
    );
  });
});
