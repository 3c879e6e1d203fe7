import { expect, it } from 'vitest';
import { tunnelMac } from '../../../src/node/tunnel-mac.ts';

it.each([
  ['node1', 4, '66:f9:37:c3:7e:94'],
  ['node2', 4, '66:2d:bf:44:a6:8b'],
  ['node3', 4, '66:a4:6f:e0:c4:da'],
] as const)('tunnelMac() of %s is the one that Felix gives its device', (name, family, mac) => {
  expect(tunnelMac(name, family)).toBe(mac);
  expect(tunnelMac(name, 6)).toBe(tunnelMac(`${name}-v6`, 4));
});
