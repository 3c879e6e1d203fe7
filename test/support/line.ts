/** A line between a client and a server that can be cut at any byte, as a proxy that gives up or a cable does. */

import { connect, type Socket } from 'node:net';
import { listen } from './peer.ts';

export type Direction = 'request' | 'response';

export interface Line {
  readonly port: number;
  /** Lets so many more bytes through in one direction, then cuts, once. */
  cutAfter(direction: Direction, byteCount: number): void;
  /** From now on nothing gets through in this direction of what is connected. */
  hold(direction: Direction): void;
  /** From now on nothing gets through at all, of what connects as well, until it is cut. */
  silence(): void;
  /** Holds back the answers to the request with which so many bytes have got through in all. */
  holdAnswersAfter(byteCount: number): void;
  /** Cuts what is connected; new connections work. */
  cut(): void;
  /** Bytes that got through, of all connections. */
  passed(direction: Direction): number;
}

/** A line to a port of this machine. */
export async function layLine(targetPort: number): Promise<Line> {
  const ends = new Map<Socket, Direction>();
  const passed = { request: 0, response: 0 };
  const left: Record<Direction, number | undefined> = { request: undefined, response: undefined };
  const held = new Set<Socket>();
  let isSilent = false;
  let holdAfter = Number.POSITIVE_INFINITY;

  const cut = (): void => {
    isSilent = false;
    for (const end of ends.keys()) end.resetAndDestroy();
    ends.clear();
  };

  const hold = (direction: Direction): void => {
    for (const [end, its] of ends) if (its === direction) held.add(end);
  };

  const pass = (direction: Direction, to: Socket, piece: Buffer): void => {
    const room = left[direction] ?? piece.length;
    const through = piece.subarray(0, room);
    passed[direction] += through.length;
    if (passed.request >= holdAfter) {
      holdAfter = Number.POSITIVE_INFINITY;
      hold('response');
    }
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
      ends.set(from, direction);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.on('data', (piece: Buffer) => isSilent || held.has(from) || pass(direction, to, piece));
    }
  });

  return {
    port,
    cutAfter: (direction, byteCount) => {
      left[direction] = byteCount;
    },
    hold,
    holdAnswersAfter: (byteCount) => {
      holdAfter = byteCount;
    },
    silence: () => {
      isSilent = true;
    },
    cut,
    passed: (direction) => passed[direction],
  };
}
