/** The hardware address that a pod asks for. Pure. */

import { CalicoError, isCalicoError } from '../base/calico-error.ts';
import { type MacAddress, parseMacAddress } from '../base/mac-address.ts';
import { printable } from '../base/printable.ts';
import type { Pod } from './objects.ts';

const KEY = 'cni.projectcalico.org/hwAddr';

/** `undefined`: any. Throws `config` for what is not the address of an Ethernet interface. */
export function podMac(pod: Pod): MacAddress | undefined {
  const text = pod.annotations[KEY];
  if (text === undefined) return undefined;
  const mac = parse(text);
  if (mac === undefined) throw badMac(pod, text, whyNot(text));
  if (mac === '00:00:00:00:00:00') throw badMac(pod, text, 'no interface can have it');
  // The lowest bit of the first octet marks a group of interfaces (IEEE 802).
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    throw badMac(pod, text, 'it is the address of a group: its first octet must be even');
  return mac;
}

function parse(text: string): MacAddress | undefined {
  try {
    return parseMacAddress(text);
  } catch (error) {
    if (isCalicoError(error, 'config')) return undefined;
    throw error;
  }
}

/** Addresses of 64 and 160 bits are well-formed, but of other kinds of interfaces. */
function whyNot(text: string): string {
  const digits = text.length > 60 ? '' : text.replaceAll(/[:.-]/g, '');
  return /^(?:[0-9a-f]{16}|[0-9a-f]{40})$/i.test(digits)
    ? `it has ${digits.length / 2} octets, the address of an Ethernet interface has 6`
    : 'invalid MAC address: it must be six octets, like aa:bb:cc:dd:ee:ff';
}

function badMac(pod: Pod, text: string, why: string): CalicoError {
  return new CalicoError(
    'config',
    `failed to parse MAC address ${printable(text)} provided via ${KEY}: ${why} (pod ${pod.namespace}/${pod.name})`,
  );
}
