/** All packets of an interface from now on, in both directions, without a program beside the test. */

import { closeSync, readSync } from 'node:fs';
import { inNetns, openNetns } from '../../src/network/netns.ts';
import { type CapturedPacket, packetOfFrame } from './captured-packet.ts';
import type { TestNetns } from './netns.ts';

export interface Capture extends Disposable {
  /** The IP packets since the last call, or since the beginning. */
  packets(): readonly CapturedPacket[];
}

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const ALL_PROTOCOLS = 0x0003;
const FRAME_BYTES = 65_536;

/** Begins at once; what it has not given yet waits in the kernel, some hundred packets at most. */
export function capture(netns: TestNetns, ifName: string): Capture {
  const ifIndex = Number(netns.sh(`cat /sys/class/net/${ifName}/ifindex`));
  using target = openNetns(netns.path);
  const fd = inNetns(target, () => openPacketSocket(ifIndex));
  const frame = Buffer.alloc(FRAME_BYTES);
  const next = (): number | undefined => {
    try {
      return readSync(fd, frame);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined;
      throw error;
    }
  };
  return {
    packets: () => {
      const packets: CapturedPacket[] = [];
      for (let length = next(); length !== undefined; length = next()) {
        const packet = packetOfFrame(frame.subarray(0, length));
        if (packet !== undefined) packets.push(packet);
      }
      return packets;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function openPacketSocket(ifIndex: number): number {
  const { functions } = process.getBuiltinModule('node:ffi').dlopen(null, {
    socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    bind: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
  });
  const flags = SOCK_RAW | SOCK_NONBLOCK;
  // Protocol 0: until it is bound to one interface it hears nothing.
  const fd = functions.socket(AF_PACKET, flags, 0);
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ALL_PROTOCOLS, 2);
  address.writeInt32LE(ifIndex, 4);
  if (fd < 0 || functions.bind(fd, address, address.length) < 0)
    throw new Error('no packet socket: is this root?');
  return fd;
}
