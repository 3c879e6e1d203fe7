/** Which address of this host packets to somewhere leave with, as the kernel's routes have it. Nothing is sent. */

import type { Socket } from 'node:dgram';
import { type Deadline, unlessInterrupted } from '../../base/deadline.ts';
import { type IpAddress, type IpFamily, tryParseIpAddress } from '../../base/ip-address.ts';

const ANY_PORT = 80;

/** `destination`: an address, or a name for the DNS. `undefined` when there is no route, and no such name. */
export async function sourceAddress(
  destination: string,
  family: IpFamily,
  deadline: Deadline,
): Promise<IpAddress | undefined> {
  const { createSocket } = process.getBuiltinModule('node:dgram');
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  const { promise, resolve } = Promise.withResolvers<IpAddress | undefined>();
  const alarm = setTimeout(resolve, deadline.remainingMs(), undefined);
  socket.on('error', () => resolve(undefined));
  // Called as well when it could not be connected: then there is no address, or the one that stands for none.
  socket.connect(ANY_PORT, destination, () => resolve(ownAddress(socket)));
  try {
    return await unlessInterrupted(deadline, promise);
  } finally {
    clearTimeout(alarm);
    socket.close();
  }
}

function ownAddress(socket: Socket): IpAddress | undefined {
  try {
    const address = tryParseIpAddress(socket.address().address);
    return address?.value === 0n ? undefined : address;
  } catch {
    return undefined;
  }
}
