import { describe, expect, it } from 'vitest';
import { madeInterface } from '../../../src/dataplane/made-interface.ts';

const reply = (host_interface_name: string, container_mac: string) => ({
  successful: true,
  error_message: '',
  host_interface_name,
  container_mac,
});

describe('madeInterface()', () => {
  it('is the host interface and the MAC address, in the form in which they are stored', () => {
    expect(madeInterface(reply('tun0', '02-00-00-00-00-0A'))).toEqual({
      hostIfName: 'tun0',
      containerMac: '02:00:00:00:00:0a',
    });
  });

  it.each([
    ['', '02:00:00:00:00:0a', 'host_interface_name ""'],
    ['name-of-16-bytes', '02:00:00:00:00:0a', 'host_interface_name "name-of-16-bytes"'],
    ['tun/0', '02:00:00:00:00:0a', 'host_interface_name "tun/0"'],
    ['tun0', '', 'container_mac ""'],
    ['tun0', '02:00', 'container_mac "02:00"'],
  ])('refuses the name %j with the address %j', (name, mac, what) => {
    expect(() => madeInterface(reply(name, mac))).toThrow(`grpc dataplane error: its answer has ${what}`);
  });
});
