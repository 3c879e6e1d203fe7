import { describe, expect, it } from 'vitest';
import { isKernelError } from '../../../src/network/kernel-error.ts';
import { attribute, attributeText, nested } from '../../../src/network/netlink/attribute.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../../../src/network/netlink/header.ts';
import { openFilterSocket } from '../../../src/network/netlink/socket.ts';
import { hasFelixFilter } from '../../../src/node/kernel/felix-filter.ts';
import { makeNetns, moveTo, whyNoNetns } from '../../support/netns.ts';
import { findTool } from '../../support/tools.ts';

const why = whyNoNetns();
const NLA_F_NESTED = 0x80_00;

/** `ipset create NAME hash:ip`; `false` where the kernel has no sets. */
function createSet(name: string): boolean {
  using socket = openFilterSocket();
  const attributes = [
    ...[attribute(1, Buffer.of(6)), attributeText(2, name), attributeText(3, 'hash:ip')],
    ...[attribute(4, Buffer.of(0)), attribute(5, Buffer.of(2)), nested(7 | NLA_F_NESTED, [])],
  ];
  const payload = Buffer.concat([Buffer.of(2, 0, 0, 0), ...attributes]);
  try {
    socket.change({
      name: 'IPSET_CMD_CREATE',
      type: (6 << 8) | 2,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload,
    });
    return true;
  } catch (error) {
    if (isKernelError(error)) return false;
    throw error;
  }
}

describe.skipIf(why !== undefined)(`hasFelixFilter()${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('sees the sets that Felix leaves, and takes no others for them', (context) => {
    using host = makeNetns('host');
    using _here = moveTo(host);
    expect(hasFelixFilter()).toBe(false);
    if (!createSet('cali40all-pools')) context.skip('the kernel has no ip_set');
    expect(hasFelixFilter()).toBe(false);
    createSet('cali40all-vxlan-net');
    expect(hasFelixFilter()).toBe(true);
  });

  it.skipIf(findTool('nft') === undefined)(
    'sees the table that Felix leaves, and does not take ours for it',
    () => {
      using host = makeNetns('host');
      using _here = moveTo(host);
      host.sh('nft add table ip calico-node');
      expect(hasFelixFilter()).toBe(false);
      host.sh('nft add table ip6 calico');
      expect(hasFelixFilter()).toBe(true);
    },
  );
});
