import { describe, expect, it } from 'vitest';
import { validAttachments } from '../../../src/cni/attachments.ts';

const A = { containerID: 'a', ifname: 'eth0' };

describe('validAttachments()', () => {
  it.each(['cni.dev/valid-attachments', 'cni.dev/attachments'])('reads %s', (key) => {
    expect(validAttachments({ [key]: [A] })).toEqual([{ containerId: 'a', ifName: 'eth0' }]);
  });

  it('prefers cni.dev/valid-attachments', () => {
    expect(validAttachments({ 'cni.dev/attachments': [A], 'cni.dev/valid-attachments': [] })).toEqual([]);
  });

  it.each([{}, { 'cni.dev/valid-attachments': null }])(
    'refuses %j instead of finding nothing valid',
    (conf) => {
      expect(() => validAttachments(conf)).toThrow(
        expect.objectContaining({ kind: 'config', message: 'required cni.dev/valid-attachments missing' }),
      );
    },
  );

  it.each([
    [{}, 'cni.dev/attachments must be an array, found an object'],
    [['x'], 'cni.dev/attachments[0] must be an object, found string "x"'],
    [[A, { ifname: 'e' }], 'cni.dev/attachments[1].containerID must be a non-empty string, found nothing'],
    [
      [{ containerID: 'a', ifname: '' }],
      'cni.dev/attachments[0].ifname must be a non-empty string, found string ""',
    ],
  ])('refuses %j', (value, message) => {
    expect(() => validAttachments({ 'cni.dev/attachments': value })).toThrow(
      expect.objectContaining({ kind: 'config', message: `invalid network configuration: ${message}` }),
    );
  });
});
