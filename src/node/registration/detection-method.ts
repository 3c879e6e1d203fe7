/** How a host finds its own address: the methods of calico/node's IP_AUTODETECTION_METHOD. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { type Cidr, tryParseCidr } from '../../base/cidr.ts';

export type DetectionMethod =
  /** The first address of an interface: one of those that match, if any are named, and of none that is to be skipped. */
  | { readonly by: 'interface'; readonly matching: readonly RegExp[]; readonly skipped: readonly RegExp[] }
  /** The first address in one of these. */
  | { readonly by: 'cidr'; readonly cidrs: readonly Cidr[] }
  /** The address that packets to this address, or name, leave with. */
  | { readonly by: 'reach'; readonly destination: string }
  /** The InternalIP of the Node of Kubernetes. */
  | { readonly by: 'kubernetes' };

/** Interfaces that are nobody's way out: bridges of container engines, tunnels, ends of pods. */
export const USUALLY_SKIPPED: readonly RegExp[] = [
  ...[/^docker.*/, /^cbr.*/, /^dummy.*/, /^podman.*/, /^virbr.*/, /^lxcbr.*/, /^veth.*/, /^lo/, /^br-.*/],
  ...[
    /^cali.*/,
    /^tunl.*/,
    /^flannel.*/,
    /^kube-ipvs.*/,
    /^cni.*/,
    /^vxlan\.calico.*/,
    /^vxlan-v6\.calico.*/,
  ],
  ...[/^wireguard\.cali.*/, /^wg-v6\.cali.*/, /^nodelocaldns.*/],
];

/** Empty is `first-found`. Throws `config` for what is none, with `variable` as where it comes from. */
export function parseDetectionMethod(text: string, variable: string): DetectionMethod {
  const refuse = (why: string) =>
    new CalicoError('config', `invalid ${variable} ${JSON.stringify(text)}: ${why}`, {
      details:
        'use first-found, kubernetes-internal-ip, interface=REGEX, skip-interface=REGEX, cidr=CIDR or can-reach=ADDRESS',
    });
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const items = (value ?? '').split(',').map((item) => item.trim());
  const isListed = value !== undefined && items.every((item) => item !== '');
  if (value !== undefined && !isListed) throw refuse('a value is empty');
  switch (name) {
    case '':
    case 'first-found':
      if (value !== undefined) throw refuse('it takes no value');
      return { by: 'interface', matching: [], skipped: USUALLY_SKIPPED };
    case 'kubernetes-internal-ip':
      if (value !== undefined) throw refuse('it takes no value');
      return { by: 'kubernetes' };
    case 'interface':
      if (!isListed) throw refuse('it names no interface');
      return { by: 'interface', matching: items.map((item) => pattern(item, refuse)), skipped: [] };
    case 'skip-interface': {
      if (!isListed) throw refuse('it names no interface');
      const skipped = [...USUALLY_SKIPPED, ...items.map((item) => pattern(item, refuse))];
      return { by: 'interface', matching: [], skipped };
    }
    case 'cidr':
      if (!isListed) throw refuse('it names no CIDR');
      return { by: 'cidr', cidrs: items.map((item) => cidr(item, refuse)) };
    case 'can-reach':
      if (!isListed) throw refuse('it names no destination');
      return { by: 'reach', destination: items.join(',') };
    default:
      throw refuse('there is no such method');
  }
}

type Refuse = (why: string) => CalicoError;

function pattern(text: string, refuse: Refuse): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw refuse(`${JSON.stringify(text)} is no regular expression`);
  }
}

function cidr(text: string, refuse: Refuse): Cidr {
  const parsed = tryParseCidr(text);
  if (parsed === undefined) throw refuse(`${JSON.stringify(text)} is no CIDR`);
  return parsed;
}
