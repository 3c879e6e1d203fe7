/**
 * Hosts on two subnets as network namespaces, both families, with a router between:
 *
 *     node1 10.50.0.11 2001:db8:50::11 ─┐
 *     node2 10.50.0.12 2001:db8:50::12 ─┴─ router ─── 10.60.0.13 2001:db8:60::13 node3
 */

import { makeNetns, type TestNetns, untilLinksAreReady } from './netns.ts';

export type Subnet = 50 | 60;

const SUBNETS: readonly Subnet[] = [50, 60];

export interface SubnetHost {
  readonly name: string;
  readonly subnet: Subnet;
  /** Without the length of their prefixes, which are 24 and 64. */
  readonly ipv4: string;
  readonly ipv6: string;
  readonly netns: TestNetns;
}

/** The router's own address in a subnet. */
export function routerAddresses(subnet: Subnet) {
  return { ipv4: `10.${subnet}.0.1`, ipv6: `2001:db8:${subnet}::1` };
}

/** Addresses that links get are usable at once: nobody else has them. */
export const NO_DUPLICATES = `
  echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
  echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
`;

/** A namespace with a leg in each subnet, which forwards. */
export function makeRouter(): TestNetns {
  const router = makeNetns('router');
  const legs = SUBNETS.map((subnet) => {
    const { ipv4, ipv6 } = routerAddresses(subnet);
    return `
      ip link add br${subnet} type bridge
      ip link set br${subnet} up
      ip address add ${ipv4}/24 dev br${subnet}
      ip address add ${ipv6}/64 dev br${subnet} nodad
    `;
  });
  router.sh(`
    ${NO_DUPLICATES}
    ip link set lo up
    ${legs.join('')}
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
  `);
  return router;
}

/** The host `node<number>`, whose eth0 is in the subnet, with default routes to the router. It does not forward yet. */
export function makeHost(router: TestNetns, number: number, subnet: Subnet): SubnetHost {
  const name = `node${number}`;
  const gateway = routerAddresses(subnet);
  const ipv4 = `10.${subnet}.0.${10 + number}`;
  const ipv6 = `2001:db8:${subnet}::${10 + number}`;
  const netns = makeNetns(name);
  netns.sh(NO_DUPLICATES);
  router.sh(`
    ip link add to-${name} type veth peer name eth0 netns ${netns.name}
    ip link set to-${name} master br${subnet} up
  `);
  netns.sh(`
    ip link set lo up
    ip link set eth0 up
    ip address add ${ipv4}/24 dev eth0
    ip address add ${ipv6}/64 dev eth0 nodad
    ip route add default via ${gateway.ipv4}
    ip -6 route add default via ${gateway.ipv6}
    ${untilLinksAreReady(1)}
  `);
  return { name, subnet, ipv4, ipv6, netns };
}
