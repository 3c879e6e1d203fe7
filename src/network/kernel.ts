/** The open handles one pod is worked on with: both namespaces, and a netlink socket that lives in each. */

import { type NetlinkSocket, openNetlinkSocket } from './netlink/socket.ts';
import { inNetns, type Netns, openNetns, ownNetns } from './netns.ts';

export interface Kernel extends Disposable {
  /** The namespace this process runs in. */
  readonly hostNetns: Netns;
  readonly podNetns: Netns;
  readonly host: NetlinkSocket;
  readonly pod: NetlinkSocket;
  close(): void;
}

/** Opens all four. Throws `netns` when the path is gone or no namespace; then nothing stays open. */
export function openKernel(netnsPath: string): Kernel {
  const stack = new DisposableStack();
  try {
    const podNetns = stack.use(openNetns(netnsPath));
    const hostNetns = stack.use(ownNetns());
    const pod = stack.use(inNetns(podNetns, openNetlinkSocket));
    const host = stack.use(openNetlinkSocket());
    const close = () => stack.dispose();
    return { hostNetns, podNetns, host, pod, close, [Symbol.dispose]: close };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}
