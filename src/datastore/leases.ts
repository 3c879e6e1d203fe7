/**
 * The Leases port: keys that go when whoever wrote them has been silent for too long. A key is written with a lease
 * through the Store.
 */

import type { Deadline } from '../base/deadline.ts';

/** Each rejects as `Store` does. */
export interface Leases {
  /** A new one, which ends so many seconds after it was last renewed. */
  grant(seconds: number, deadline: Deadline): Promise<string>;
  /** False when it has ended already. */
  renew(lease: string, deadline: Deadline): Promise<boolean>;
  /** Ends it now, and its keys. One that has ended is no error. */
  revoke(lease: string, deadline: Deadline): Promise<void>;
  close(): void;
}
