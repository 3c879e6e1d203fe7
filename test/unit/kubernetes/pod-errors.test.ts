/** Whatever an annotation holds, the message is one line of a bounded length that names annotation, value and pod. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../src/base/calico-error.ts';
import { podSettings } from '../../../src/kubernetes/pod-settings.ts';
import { annotatedPod, namespace, oddTexts } from '../../support/pods.ts';

const NAMES = [
  'ipv4pools',
  'ipv6pools',
  'ipFamilies',
  'ipAddrs',
  'ipAddrsNoIpam',
  'floatingIPs',
  'hwAddr',
  'allowedSourcePrefixes',
];

function errorOf(name: string, value: string): CalicoError | undefined {
  try {
    podSettings(annotatedPod({ [name]: value }), namespace());
    return undefined;
  } catch (error) {
    if (error instanceof CalicoError) return error;
    throw error;
  }
}

function expectFitToRead(error: CalicoError, name: string): void {
  expect(error.kind).toBe('config');
  const text = `${error.message}; ${error.details ?? ''}`;
  expect(text.length).toBeLessThan(700);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(text).toContain(`cni.projectcalico.org/${name}`);
  expect(text).toContain('pod test/web-1');
}

const hostile = [
  ['huge', 'x'.repeat(200_000)],
  ['a huge list item', JSON.stringify(['x'.repeat(200_000)])],
  ['a list of ten thousand', JSON.stringify(Array.from({ length: 10_000 }, (_unused, i) => `item ${i}`))],
  ['ten thousand numbers', JSON.stringify(Array.from({ length: 10_000 }, (_unused, i) => i))],
  ['lines', 'a\nb\r\n\u2028c'],
  ['lines in a list', '["a\\nb\\u001b[31m\\u202e"]'],
  ['deep', '['.repeat(100_000)],
  ['deep and closed', '['.repeat(10_000) + ']'.repeat(10_000)],
  ['half a character', '["\\ud800"]'],
  ['__proto__', '{"__proto__":["10.0.0.1"]}'],
] as const;

describe.each(NAMES)('%s', (name) => {
  it.each(hostile)('says what is wrong in a few words: %s', (_what, value) => {
    const error = errorOf(name, value);
    expect(error).toBeDefined();
    if (error !== undefined) expectFitToRead(error, name);
  });

  it('shows the value', () => {
    const { message, details } = errorOf(name, 'odd value') ?? {};
    expect(`${message}; ${details}`).toContain('odd value');
  });

  it('throws nothing else, whatever it holds', () => {
    const texts = fc.oneof(fc.string(), oddTexts, fc.json(), fc.json({ depthSize: 'small' }));
    fc.assert(
      fc.property(texts, (value) => {
        const error = errorOf(name, value);
        if (error !== undefined) expectFitToRead(error, name);
      }),
    );
  });
});

it('two addresses of ten thousand are too many, in a few words', () => {
  const list = JSON.stringify(Array.from({ length: 10_000 }, (_unused, i) => `10.0.${i >> 8}.${i & 255}`));
  const error = errorOf('ipAddrs', list);
  expect(error?.message).toContain('cannot have more than one IPv4 address');
  if (error !== undefined) expectFitToRead(error, 'ipAddrs');
});
