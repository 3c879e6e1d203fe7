import { describe, expect, it } from 'vitest';
import { offloadsChecksums, stopChecksumOffload } from '../../src/network/checksum-offload.ts';
import { makeNetns, moveTo, whyNoNetns } from '../support/netns.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(
  `stopChecksumOffload()${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    it('makes a VXLAN device leave no checksum to those below it, and others as they are', () => {
      using host = makeNetns('host');
      host.sh(
        'ip link add vxlan.calico type vxlan id 1 dstport 4789; ip link add other type vxlan id 2 dstport 4789',
      );
      using _here = moveTo(host);
      expect(['vxlan.calico', 'other', 'lo0'].map(offloadsChecksums)).toEqual([true, true, undefined]);

      stopChecksumOffload('vxlan.calico');

      expect(['vxlan.calico', 'other'].map(offloadsChecksums)).toEqual([false, true]);
    });

    it('tells the kernel’s reason', () => {
      using host = makeNetns('host');
      using _here = moveTo(host);
      expect(() => stopChecksumOffload('vxlan.calico')).toThrow('SIOCETHTOOL: ENODEV');
    });
  },
);
