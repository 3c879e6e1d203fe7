/** As whom a store asks etcd, for its errors. */

import { certificateExpiryNs } from '../../base/certificate-expiry.ts';
import type { Clock } from '../../base/deadline.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import type { PemFiles } from './pem-files.ts';
import type { Asker } from './refusal.ts';

export function askerOf(settings: EtcdSettings, pem: PemFiles | undefined, clock: Clock): Asker {
  const { caCertFile, certFile, user } = settings;
  return {
    caCertFile,
    certFile: pem === undefined ? undefined : certFile,
    user: user && { name: user.name },
    certificateExpiryNs: () => (pem?.cert === undefined ? undefined : certificateExpiryNs(pem.cert)),
    nowNs: () => clock.nowNs(),
  };
}
