/** Tries in a network namespace of its own what the agent and the plugin ask of the kernel: modules load where it is allowed. */

import { errorText } from '../../../base/calico-error.ts';
import { parseCidr } from '../../../base/cidr.ts';
import { type IpFamily, parseIpAddress } from '../../../base/ip-address.ts';
import { parseMacAddress } from '../../../base/mac-address.ts';
import { addVethPair } from '../../../network/netlink/link.ts';
import { type NetlinkSocket, openFilterSocket, openNetlinkSocket } from '../../../network/netlink/socket.ts';
import { inNewNetns, ownNetns } from '../../../network/netns.ts';
import { IPIP_DEVICE, type VxlanDevice } from '../../../node/desired/desired-host.ts';
import { applySteps } from '../../../node/kernel/apply.ts';
import { keepNat } from '../../../node/nat/keep-nat.ts';
import type { HostStep } from '../../../node/reconcile/host-step.ts';
import type { KernelTrials } from './system-facts.ts';

/** The loopback of the namespace is its only interface. */
const LOOPBACK = { name: 'lo', ifIndex: 1 };
const VXLAN: VxlanDevice = {
  ...{ name: 'vxlan.trial', vni: 4096, port: 4789, mtu: 1450, parent: LOOPBACK },
  local: parseIpAddress('192.0.2.1'),
  mac: parseMacAddress('66:00:00:00:00:01'),
  address: { address: parseIpAddress('192.0.2.1'), prefixLength: 32 },
  isOffloadBroken: false,
};

/** Or why nothing could be tried. */
export function tryKernel(): KernelTrials | string {
  try {
    return inNewNetns(() => {
      using route = openNetlinkSocket();
      return {
        veth: whyNot(() => tryVeth(route)),
        vxlan: whyNot(() => tryStep(route, { do: 'create-vxlan', device: VXLAN })),
        ipip: whyNot(() => tryStep(route, { do: 'create-ipip', device: IPIP_DEVICE })),
        nat: whyNot(() => tryNat(4)),
        natIpv6: whyNot(() => tryNat(6)),
      };
    });
  } catch (error) {
    return errorText(error);
  }
}

function tryVeth(route: NetlinkSocket): void {
  using here = ownNetns();
  const end = (name: string, mac: string) => ({ name, mac: parseMacAddress(mac), mtu: undefined, queues: 1 });
  const [host, pod] = [end('cali.trial', '66:00:00:00:00:02'), end('eth.trial', '66:00:00:00:00:03')];
  route.change(addVethPair(host, pod, here.fd));
}

function tryStep(route: NetlinkSocket, step: HostStep): void {
  const [failure] = applySteps(route, [step]);
  if (failure !== undefined) throw failure.error;
}

function tryNat(family: IpFamily): void {
  using filter = openFilterSocket();
  const pool = parseCidr(family === 4 ? '192.0.2.0/24' : '2001:db8::/64');
  keepNat(filter, {
    ...{ family, masqueraded: [pool], excluded: [pool], outInterfaces: [], address: undefined },
    ...{ ports: { first: 1024, last: 65_535 }, tunnels: [] },
  });
}

function whyNot(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
