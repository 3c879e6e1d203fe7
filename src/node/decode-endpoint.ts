/** WorkloadEndpoint: of which the agent needs the interface and the addresses behind it. Pure. */

import { tryParseIpNetwork } from '../base/cidr.ts';
import { stringArrayField, stringField, wrongType } from '../datastore/codecs/fields.ts';
import type { LocalEndpoint } from './cluster.ts';
import { decodeRecord, objectOrEmpty } from './decode-record.ts';

/** `undefined` when it is another node's, whatever its name says. Throws `corrupt`, naming the key. */
export function decodeEndpoint(text: string, key: string, nodeName: string): LocalEndpoint | undefined {
  const spec = objectOrEmpty(decodeRecord(text, key), 'spec');
  if (stringField(spec, 'node') !== nodeName) return undefined;
  return {
    interfaceName: stringField(spec, 'interfaceName') ?? '',
    addresses: (stringArrayField(spec, 'ipNetworks') ?? []).map((network) => {
      const address = tryParseIpNetwork(network)?.address;
      if (address === undefined) throw wrongType(key, 'spec.ipNetworks', 'an array of CIDRs', network);
      return address;
    }),
  };
}
