/** Which address the Node of this host shall have, of one family. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatIpNetwork, hostNetwork, type IpNetwork, tryParseIpNetwork } from '../../base/cidr.ts';
import { formatIpAddress, type IpFamily, tryParseIpAddress } from '../../base/ip-address.ts';
import type { AddressSetting } from './address-setting.ts';
import { findLocalAddress, type HostInterfaces, type LocalAddress } from './detect-address.ts';

export interface AddressQuestion {
  readonly family: IpFamily;
  readonly setting: AddressSetting;
  /** What the Node has, as it is written there. */
  readonly recorded: string | undefined;
  /** What the method found. */
  readonly detected: LocalAddress | undefined;
  readonly host: HostInterfaces;
}

export interface AddressAnswer {
  /** Address with prefix length, as it is written; `undefined`: none. */
  readonly text: string | undefined;
  readonly warnings: readonly string[];
}

/** Throws `unavailable` when an address is needed and none was found: it may come up later. */
export function decideAddress(question: AddressQuestion): AddressAnswer {
  const { setting, recorded, family } = question;
  switch (setting.use) {
    case 'detected':
      return detectedAddress(question);
    case 'recorded':
      if (recorded === undefined && family === 4) return detectedAddress(question);
      return recordedAddress(question);
    case 'none':
      return recordedAddress(question);
    case 'address': {
      const local = findLocalAddress(question.host, setting.address);
      const network = local?.network ?? hostNetwork(setting.address);
      const text = formatIpNetwork(network);
      return { text, warnings: local === undefined ? [noInterface(text)] : [] };
    }
    case 'network':
      return confirmed(setting.network, question.host);
  }
}

function detectedAddress(question: AddressQuestion): AddressAnswer {
  const { detected, recorded, family } = question;
  if (detected !== undefined) return { text: formatIpNetwork(detected.network), warnings: [] };
  if (recorded === undefined) {
    const variable = family === 4 ? 'IP' : 'IP6';
    throw new CalicoError('unavailable', `could not find an IPv${family} address of this host`, {
      details: `choose another ${variable}_AUTODETECTION_METHOD, or set ${variable} to the address`,
    });
  }
  const failed = `no IPv${family} address of this host was found: ${recorded} stays`;
  return { text: recorded, warnings: [failed, ...recordedAddress(question).warnings] };
}

function recordedAddress({ recorded, host }: AddressQuestion): AddressAnswer {
  if (recorded === undefined) return { text: undefined, warnings: [] };
  const network = parseRecorded(recorded);
  if (network !== undefined) return { text: recorded, warnings: confirmed(network, host).warnings };
  return {
    text: recorded,
    warnings: [`${JSON.stringify(recorded)} of the Node is no address: set IP or IP6, or correct the Node`],
  };
}

function confirmed(network: IpNetwork, host: HostInterfaces): AddressAnswer {
  const text = formatIpNetwork(network);
  const isLocal = findLocalAddress(host, network.address) !== undefined;
  return { text, warnings: isLocal ? [] : [noInterface(text)] };
}

/** As a Node has it: without a length it stands for itself alone. */
export function parseRecorded(text: string): IpNetwork | undefined {
  const address = tryParseIpAddress(text);
  return address === undefined ? tryParseIpNetwork(text) : hostNetwork(address);
}

/** The plain address, for messages. */
export function plainAddress(text: string): string {
  const network = parseRecorded(text);
  return network === undefined ? text : formatIpAddress(network.address);
}

function noInterface(text: string): string {
  return `${text} is on no interface of this host: nodes will not reach it unless somebody brings packets for it here`;
}
