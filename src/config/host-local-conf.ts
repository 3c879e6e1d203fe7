/**
 * The words `usePodCidr` and `usePodCidrIPv6`, which Calico's users write where host-local needs a subnet: they stand
 * for the pod CIDRs that Kubernetes gave this node. Pure.
 */

import { CalicoError } from '../base/calico-error.ts';
import { tryParseCidr } from '../base/cidr.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { describeJson, isJsonObject, type JsonObject, jsonKey, jsonMember } from '../base/json-object.ts';
import { editNetConf, type JsonPath } from './edit-net-conf.ts';

/** One of the words, and where it stands. */
export interface PodCidrWord {
  readonly path: JsonPath;
  readonly word: 'usePodCidr' | 'usePodCidrIPv6';
}

/** A CIDR of each family that there is, as Kubernetes writes it. */
export interface PodCidrs {
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
}

/** For a DEL, which must not depend on the API: host-local releases by container, whatever the subnet. */
export const ANY_POD_CIDRS: PodCidrs = { ipv4: '0.0.0.0/0', ipv6: '::/0' };

/**
 * The words in a host-local configuration, in any case: at `ipam.subnet` and in `ipam.ranges`. Without them, and with
 * every other IPAM plugin, there are none, and nobody needs the Node. Throws `config` for ranges that are none.
 */
export function podCidrWords(json: JsonObject): readonly PodCidrWord[] {
  const at = jsonKey(json, 'ipam');
  const ipam = at === undefined ? undefined : json[at];
  if (at === undefined || !isJsonObject(ipam) || jsonMember(ipam, 'type') !== 'host-local') return [];
  return [...wordIn(ipam, [at]), ...wordsInRanges(ipam, [at])];
}

function wordsInRanges(ipam: JsonObject, path: JsonPath): readonly PodCidrWord[] {
  const at = jsonKey(ipam, 'ranges');
  if (at === undefined || ipam[at] === null) return [];
  return listAt(ipam[at], [...path, at], 'ranges section').flatMap(([set, setPath]) =>
    listAt(set, setPath, 'range set').flatMap(([range, rangePath]) => wordIn(range, rangePath)),
  );
}

/** The items of a list, each with its own path. */
function listAt(value: unknown, path: JsonPath, what: string): readonly (readonly [unknown, JsonPath])[] {
  if (!Array.isArray(value)) throw unexpected(`${what}; was expecting a list`, value, path);
  return value.map((item: unknown, i) => [item, [...path, i]]);
}

function wordIn(range: unknown, path: JsonPath): readonly PodCidrWord[] {
  if (!isJsonObject(range)) throw unexpected('data; was expecting a dict', range, path);
  const at = jsonKey(range, 'subnet');
  const subnet = at === undefined ? undefined : range[at];
  if (at === undefined || typeof subnet !== 'string') return [];
  const word = (['usePodCidr', 'usePodCidrIPv6'] as const).find(
    (known) => known.toLowerCase() === subnet.toLowerCase(),
  );
  return word === undefined ? [] : [{ path: [...path, at], word }];
}

function unexpected(what: string, found: unknown, path: JsonPath): CalicoError {
  return new CalicoError('config', `failed to parse host-local IPAM ${what}, not: ${describeJson(found)}`, {
    details: `at ${path.join('.')}`,
  });
}

/** The text with each word replaced. Throws `config` for a word whose family has no CIDR. */
export function withPodCidrs(text: string, words: readonly PodCidrWord[], cidrs: PodCidrs): string {
  return editNetConf(
    text,
    words.map(({ path, word }) => ({ path, value: cidrFor(word, cidrs) })),
  );
}

function cidrFor(word: PodCidrWord['word'], { ipv4, ipv6 }: PodCidrs): string {
  const [cidr, family] = word === 'usePodCidr' ? [ipv4, 'IPv4'] : [ipv6, 'IPv6'];
  if (cidr !== undefined) return cidr;
  throw new CalicoError('config', `${word} found but there is no ${family} CIDR configured`, {
    details: `the Node has no ${family} CIDR in spec.podCIDRs: correct ipam, or the cluster's --cluster-cidr`,
  });
}

/**
 * The node's pod CIDRs (`spec.podCIDRs`) by family. Throws `unavailable` while it has none, `config` when there are
 * two of one family, or one is no CIDR.
 */
export function podCidrsOfNode(nodeName: string, podCidrs: readonly string[]): PodCidrs {
  if (podCidrs.length === 0) {
    throw new CalicoError('unavailable', `no podCidr for node ${nodeName}`, {
      details: 'kube-controller-manager assigns it with --allocate-node-cidrs; or name a subnet in ipam',
    });
  }
  const families = podCidrs.map((cidr) => familyOf(cidr, nodeName));
  if (new Set(families).size < families.length) {
    throw new CalicoError('config', 'ClusterCIDR contains two ranges of the same type', {
      details: `node ${nodeName} has the pod CIDRs ${podCidrs.join(', ')}`,
    });
  }
  return { ipv4: podCidrs[families.indexOf(4)], ipv6: podCidrs[families.indexOf(6)] };
}

function familyOf(text: string, nodeName: string): IpFamily {
  const cidr = tryParseCidr(text);
  if (cidr !== undefined) return cidr.family;
  throw new CalicoError('config', `invalid pod CIDR of node ${nodeName}: ${JSON.stringify(text)}`);
}
