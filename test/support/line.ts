/** A line between a client and a server that can be cut at any byte, as a proxy that gives up or a cable does. */

import { connect, type Socket } from 'node:net';
import { listen } from './peer.ts';

export type Direction = 'request' | 'response';

export interface Line {
  readonly port: number;
  /** Lets so many more bytes through in one direction, then cuts, once. */
  cutAfter(direction: Direction, byteCount: number): void;
  /** From now on nothing gets through in this direction. */
  hold(direction: Direction): void;
  /** Cuts what is connected; new connections work. */
  cut(): void;
  /** Bytes that got through, of all connections. */
  passed(direction: Direction): number;
}

/** A line to a port of this machine. */
export async function layLine(targetPort: number): Promise<Line> {
  const ends = new Set<Socket>();
  const passed = { request: 0, response: 0 };
  const left: Record<Direction, number | undefined> = { request: undefined, response: undefined };
  const held = new Set<Direction>();

  const cut = (): void => {
    held.clear();
    for (const end of ends) end.resetAndDestroy();
    ends.clear();
  };

  const pass = (direction: Direction, to: Socket, piece: Buffer): void => {
    if (held.has(direction)) return;
    const room = left[direction] ?? piece.length;
    const through = piece.subarray(0, room);
    passed[direction] += through.length;
    if (left[direction] === undefined) return void to.write(through);
    left[direction] = room - through.length;
    to.write(through, () => {
      if (left[direction] !== 0) return;
      left[direction] = undefined;
      cut();
    });
  };

  const port = await listen((client) => {
    const server = connect(targetPort, '127.0.0.1');
    for (const [from, to, direction] of [
      [client, server, 'request'],
      [server, client, 'response'],
    ] as const) {
      ends.add(from);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.on('data', (piece: Buffer) => pass(direction, to, piece));
    }
  });

  return {
    port,
    cutAfter: (direction, byteCount) => {
      left[direction] = byteCount;
    },
    hold: (direction) => void held.add(direction),
    cut,
    passed: (direction) => passed[direction],
  };
}
