/** A pool that is made where its family has none: calico/node's CALICO_IPV4POOL_… and CALICO_IPV6POOL_…. Pure. */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import { formatCidr } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { NewIdentity } from '../../datastore/codecs/bootstrap-resources.ts';
import { formatResource } from '../../datastore/codecs/resource.ts';
import { type NewPool, parseNewPool } from '../../ipam/new-pool.ts';
import { parseSelector } from '../../ipam/selector/parse.ts';
import type { EncapsulationMode } from '../cluster.ts';

export interface WantedPool extends NewPool {
  readonly name: string;
  readonly ipipMode: EncapsulationMode;
  readonly vxlanMode: EncapsulationMode;
  readonly nodeSelector: string;
  readonly isHiddenFromBgp: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MODES: Readonly<Record<string, EncapsulationMode>> = {
  '': 'Never',
  off: 'Never',
  never: 'Never',
  crosssubnet: 'CrossSubnet',
  'cross-subnet': 'CrossSubnet',
  always: 'Always',
};
const NO = ['false', '0', 'no', 'n', 'f'];

/** `undefined` when nobody asks for one: unlike calico/node, no CIDR is made up. Throws `config`, naming the variable. */
export function wantedPool(env: Environment, family: IpFamily): WantedPool | undefined {
  const prefix = `CALICO_IPV${family}POOL_`;
  const value = (name: string) => env[prefix + name]?.trim() ?? '';
  const cidr = value('CIDR');
  const isForbidden = env.NO_DEFAULT_POOLS?.trim().toLowerCase() === 'true';
  if (cidr === '' || (cidr === 'none' && !isForbidden)) return undefined;
  if (isForbidden) {
    throw new CalicoError(
      'config',
      `NO_DEFAULT_POOLS is true, and ${prefix}CIDR is ${JSON.stringify(cidr)}`,
      {
        details: 'leave out one of them',
      },
    );
  }
  const mode = (name: string) => encapsulation(value(name), prefix + name);
  const [ipipMode, vxlanMode] = [family === 4 ? mode('IPIP') : 'Never', mode('VXLAN')];
  if (ipipMode !== 'Never' && vxlanMode !== 'Never') {
    throw new CalicoError('config', `${prefix}IPIP and ${prefix}VXLAN cannot both be on`);
  }
  const isOn = (name: string, usual: boolean) =>
    env[prefix + name] === undefined ? usual : !NO.includes(value(name).toLowerCase());
  const size = blockSize(value('BLOCK_SIZE'), `${prefix}BLOCK_SIZE`);
  const pool = namingVariable(`${prefix}CIDR`, () =>
    parseNewPool(cidr, size, isOn('NAT_OUTGOING', family === 4)),
  );
  if (pool.cidr.family !== family) {
    throw new CalicoError('config', `invalid ${prefix}CIDR ${JSON.stringify(cidr)}: it is not IPv${family}`);
  }
  const nodeSelector = value('NODE_SELECTOR') || 'all()';
  namingVariable(`${prefix}NODE_SELECTOR`, () => parseSelector(nodeSelector));
  const isHiddenFromBgp = isOn('DISABLE_BGP_EXPORT', false);
  return { ...pool, name: `default-ipv${family}-ippool`, ipipMode, vxlanMode, nodeSelector, isHiddenFromBgp };
}

function namingVariable<T>(variable: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isCalicoError(cause)) throw cause;
    throw new CalicoError('config', `${variable}: ${cause.message}`, {
      ...(cause.details && { details: cause.details }),
      cause,
    });
  }
}

export function encodeWantedPool(identity: NewIdentity, pool: WantedPool): string {
  const spec = {
    cidr: formatCidr(pool.cidr),
    vxlanMode: pool.vxlanMode,
    ipipMode: pool.ipipMode,
    natOutgoing: pool.natOutgoing || undefined,
    disableBGPExport: pool.isHiddenFromBgp || undefined,
    blockSize: pool.blockSize,
    nodeSelector: pool.nodeSelector,
    allowedUses: ['Workload', 'Tunnel'],
    assignmentMode: 'Automatic',
  };
  return formatResource('IPPool', { ...identity }, spec, Object.keys(spec));
}

function encapsulation(text: string, variable: string): EncapsulationMode {
  const mode = MODES[text.toLowerCase()];
  if (mode !== undefined) return mode;
  throw new CalicoError(
    'config',
    `invalid ${variable} ${JSON.stringify(text)}: use Always, CrossSubnet or Never`,
  );
}

function blockSize(text: string, variable: string): number | undefined {
  if (text === '') return undefined;
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new CalicoError(
    'config',
    `invalid ${variable} ${JSON.stringify(text)}: it must be the length of a prefix`,
  );
}
