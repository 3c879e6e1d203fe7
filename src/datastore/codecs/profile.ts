/** Profile → JSON. Written once per network, never changed: operators edit it. Pure. */

import type { NetworkProfile } from '../../workload/profile.ts';
import { formatResource } from './resource.ts';

export function encodeProfile(profile: NetworkProfile): string {
  const allow = { action: 'Allow' };
  const ingress = profile.ingressFromSameNetworkOnly
    ? { ...allow, source: { selector: `has(${profile.name})` } }
    : allow;
  return formatResource(
    'Profile',
    { name: profile.name, uid: profile.uid, creationTimestamp: profile.creationTimestamp },
    { ingress: [ingress], egress: [allow], labelsToApply: { [profile.name]: '' } },
    ['ingress', 'egress', 'labelsToApply'],
  );
}
