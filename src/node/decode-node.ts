/** Node: its addresses, and those of its tunnels. Pure. */

import { hostNetwork, type IpNetwork, tryParseIpNetwork } from '../base/cidr.ts';
import { type IpAddress, type IpFamily, tryParseIpAddress } from '../base/ip-address.ts';
import { isJsonObject } from '../base/json-object.ts';
import { type MacAddress, parseMacAddress } from '../base/mac-address.ts';
import { arrayField, type FieldSource, stringField, wrongType } from '../datastore/codecs/fields.ts';
import type { ClusterNode, NodeFamily } from './cluster.ts';
import { decodeRecord, objectOrEmpty } from './decode-record.ts';
import { tunnelMac } from './tunnel-mac.ts';

/** Its name is that of its key. Throws `corrupt`, naming the key. */
export function decodeNode(text: string, key: string, name: string): ClusterNode {
  const spec = objectOrEmpty(decodeRecord(text, key), 'spec');
  const bgp = objectOrEmpty(spec, 'bgp');
  return {
    name,
    families: {
      4: decodeFamily(spec, bgp, name, 4),
      6: decodeFamily(spec, bgp, name, 6),
    },
    ipipAddress: addressField(bgp, 'ipv4IPIPTunnelAddr', 4),
  };
}

function decodeFamily(spec: FieldSource, bgp: FieldSource, name: string, family: IpFamily): NodeFamily {
  return {
    hostNetwork: networkField(bgp, `ipv${family}Address`, family),
    fallbackAddress: decodeFallback(spec, family),
    vxlanAddress: addressField(spec, `ipv${family}VXLANTunnelAddr`, family),
    vxlanMac:
      macField(spec, family === 4 ? 'vxlanTunnelMACAddr' : 'vxlanTunnelMACAddrV6') ?? tunnelMac(name, family),
  };
}

/** An address without a mask has nobody in its subnet. */
function networkField(source: FieldSource, name: string, family: IpFamily): IpNetwork | undefined {
  const text = stringField(source, name) || undefined;
  if (text === undefined) return undefined;
  const address = tryParseIpAddress(text);
  const network = address === undefined ? tryParseIpNetwork(text) : hostNetwork(address);
  if (network?.address.family === family) return network;
  throw wrongType(source.key, name, `an IPv${family} address with its mask`, text);
}

function addressField(source: FieldSource, name: string, family: IpFamily): IpAddress | undefined {
  const text = stringField(source, name) || undefined;
  if (text === undefined) return undefined;
  const address = tryParseIpAddress(text);
  if (address?.family === family) return address;
  throw wrongType(source.key, name, `an IPv${family} address`, text);
}

function macField(source: FieldSource, name: string): MacAddress | undefined {
  const text = stringField(source, name) || undefined;
  if (text === undefined) return undefined;
  try {
    return parseMacAddress(text);
  } catch {
    throw wrongType(source.key, name, 'a MAC address', text);
  }
}

/** Entries may also be host names, or of types that are no addresses to route to. */
function decodeFallback(spec: FieldSource, family: IpFamily): IpAddress | undefined {
  const entries = (arrayField(spec, 'addresses') ?? []).filter(isJsonObject);
  const ofType = (type: string) =>
    entries
      .filter((entry) => entry.type === type && typeof entry.address === 'string')
      .map((entry) => tryParseIpAddress(String(entry.address).replace(/\/\d+$/, '')))
      .find((address) => address?.family === family);
  return ofType('InternalIP') ?? ofType('ExternalIP');
}
