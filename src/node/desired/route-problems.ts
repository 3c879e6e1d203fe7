/** What can be wrong with a route, in the words an operator reads. Pure. */

import type { IpFamily } from '../../base/ip-address.ts';
import type { PerFamily } from '../cluster.ts';
import type { ProblemKind } from './problems.ts';

export interface RouteProblems {
  readonly unknownPeer: ProblemKind;
  readonly incompleteVtep: ProblemKind;
  readonly unknownHostAddress: ProblemKind;
  readonly notOnLink: ProblemKind;
  readonly noNode: ProblemKind;
  readonly hostAddressInside: ProblemKind;
  readonly outsidePools: ProblemKind;
}

export const ROUTE_PROBLEMS: PerFamily<RouteProblems> = { 4: problemsOf(4), 6: problemsOf(6) };

function problemsOf(family: IpFamily): RouteProblems {
  const warning = (
    kind: ProblemKind['kind'],
    subject: string,
    message: (named: string) => string,
  ): ProblemKind => ({ kind, severity: 'warning', subject: `IPv${family} ${subject}`, message });
  const error = (...args: Parameters<typeof warning>): ProblemKind => ({
    ...warning(...args),
    severity: 'error',
  });
  return {
    unknownPeer: warning(
      'peer-incomplete',
      'without Node',
      (named) =>
        `there are IPv${family} blocks of nodes that have no Node: ${named}. They are not routed. ` +
        'If the nodes are gone, release their blocks.',
    ),
    incompleteVtep: warning(
      'peer-incomplete',
      'VXLAN',
      (named) =>
        `pods of ${named} are not reached by VXLAN: their Node needs bgp.ipv${family}Address and ` +
        `ipv${family}VXLANTunnelAddr, which the agent of that node writes.`,
    ),
    unknownHostAddress: warning(
      'peer-incomplete',
      'host address',
      (named) => `pods of ${named} are not reached: their Node has no IPv${family} address of its own.`,
    ),
    notOnLink: error(
      'peer-not-on-link',
      'peers',
      (named) =>
        `no route is made to pods of ${named}: a router is between, which does not know them, and their pool has no ` +
        `encapsulation. Set vxlanMode${family === 4 ? ' or ipipMode' : ''} of the pool to CrossSubnet, or tell the router by BGP.`,
    ),
    noNode: warning(
      'address-without-node',
      'addresses',
      (named) =>
        `it is not recorded which node holds ${named}: they are not routed. Release them with calicoctl ipam release.`,
    ),
    hostAddressInside: error(
      'host-address-in-block',
      'blocks',
      (named) =>
        `${named} hold the address of a node itself and are not routed, since that node would be cut off. ` +
        'Move the pool to a range that no host uses.',
    ),
    outsidePools: warning(
      'block-outside-pools',
      'blocks',
      (named) =>
        `${named} are in no pool that has routes, so nobody knows how to reach them: they are not routed. ` +
        'Restore the pool, or release the blocks.',
    ),
  };
}
