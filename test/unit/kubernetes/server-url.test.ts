import { describe, expect, it } from 'vitest';
import { parseServerUrl } from '../../../src/kubernetes/server-url.ts';

describe('parseServerUrl()', () => {
  it.each([
    ['https://10.96.0.1:443', 'https://10.96.0.1:443', '10.96.0.1', 443, ''],
    ['https://[10.96.0.1]:443', 'https://10.96.0.1:443', '10.96.0.1', 443, ''],
    ['https://[fd00::1]:6443/', 'https://[fd00::1]:6443', 'fd00::1', 6443, ''],
    ['HTTPS://Kubernetes', 'https://Kubernetes:443', 'Kubernetes', 443, ''],
    ['http://localhost:8080', 'http://localhost:8080', 'localhost', 8080, ''],
    ['http://a', 'http://a:80', 'a', 80, ''],
    [
      'https://rancher/k8s/clusters/c-1/',
      'https://rancher:443/k8s/clusters/c-1',
      'rancher',
      443,
      '/k8s/clusters/c-1',
    ],
  ])('%s is %s', (text, shown, host, port, basePath) => {
    const isSecure = shown.startsWith('https');
    expect(parseServerUrl(text, false)).toEqual({ text: shown, isSecure, host, port, basePath });
  });

  it.each([
    [true, 'https://a:6443'],
    [false, 'http://a:6443'],
  ])('without a scheme depends on whether there is anything for TLS: %s, %s', (hasTls, shown) => {
    expect(parseServerUrl('a:6443', hasTls).text).toBe(shown);
  });

  it.each([
    '',
    'https://',
    'ftp://a',
    'https://a:0',
    'https://a:65536',
    'https://a b',
    'https://a?x',
    'https://fd00::1',
  ])('%j is none', (text) => {
    expect(() => parseServerUrl(text, true)).toThrow(expect.objectContaining({ kind: 'config' }));
  });

  it('does not show a password', () => {
    expect(() => parseServerUrl('https://me:pass@a', true)).toThrow(
      'invalid Kubernetes API server "…@a": it must be like https://10.96.0.1:443',
    );
  });
});
