/** What an IPPool may say, by Calico's rules and in its words where it has some. Pure. */

import { cidrOf, containsCidr, formatCidr, tryParseCidr, tryParseIpNetwork } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { JsonObject } from '../../base/json-object.ts';
import { FLAG, fields, listOf, oneOf, type Rule, SELECTOR, TEXT } from './field-rules.ts';
import { mustBe, type Problem } from './problem.ts';

/** In the order of Go's type. */
export const IP_POOL_ORDER = [
  ...['cidr', 'vxlanMode', 'ipipMode', 'natOutgoing', 'disabled', 'disableBGPExport', 'blockSize'],
  ...['nodeSelector', 'namespaceSelector', 'allowedUses', 'assignmentMode'],
];

const MODE = oneOf('Always', 'CrossSubnet', 'Never');
/** Whether it is one, and in bounds, is said with the CIDR. */
const ANY: Rule = () => [];

const FIELDS = fields({
  cidr: TEXT,
  vxlanMode: MODE,
  ipipMode: MODE,
  natOutgoing: FLAG,
  disabled: FLAG,
  disableBGPExport: FLAG,
  blockSize: ANY,
  nodeSelector: SELECTOR,
  namespaceSelector: SELECTOR,
  allowedUses: listOf(oneOf('Workload', 'Tunnel', 'LoadBalancer')),
  assignmentMode: oneOf('Automatic', 'Manual'),
});

const BLOCK_SIZES = {
  4: { least: 20, most: 32, usual: 26 },
  6: { least: 116, most: 128, usual: 122 },
} as const;

const LINK_LOCAL = { 4: '169.254.0.0/16', 6: 'fe80::/10' } as const;

export function ipPoolProblems(spec: JsonObject): readonly Problem[] {
  return [...FIELDS(spec, 'spec'), ...cidrProblems(spec), ...useProblems(spec)];
}

function cidrProblems(spec: JsonObject): readonly Problem[] {
  const { cidr = '' } = spec;
  const path = 'spec.cidr';
  if (cidr === '' || cidr === null)
    return [{ path, text: 'IPPool CIDR must be specified, such as 192.168.0.0/16' }];
  if (typeof cidr !== 'string') return [];
  const network = tryParseIpNetwork(cidr);
  if (network === undefined) return mustBe(path, 'a valid subnet, such as 192.168.0.0/16', cidr);
  const masked = cidrOf(network.address, network.prefixLength);
  const { family } = masked;
  const strict =
    masked.base === network.address.value
      ? []
      : [{ path, text: `${cidr} is not strictly masked: did you mean ${formatCidr(masked)}?` }];
  const linkLocal = tryParseCidr(LINK_LOCAL[family]);
  const local =
    linkLocal !== undefined && (containsCidr(linkLocal, masked) || containsCidr(masked, linkLocal))
      ? [{ path, text: `IPPool CIDR overlaps with IPv${family} Link Local range ${LINK_LOCAL[family]}` }]
      : [];
  return [
    ...strict,
    ...local,
    ...blockSizeProblems(spec, family, masked.prefixLength),
    ...modeProblems(spec, family),
  ];
}

function blockSizeProblems(spec: JsonObject, family: IpFamily, prefixLength: number): readonly Problem[] {
  const { least, most, usual } = BLOCK_SIZES[family];
  const { blockSize, disabled } = spec;
  const size = blockSize ?? usual;
  const path = 'spec.blockSize';
  if (typeof size !== 'number' || !Number.isInteger(size))
    return mustBe(path, 'the length of a prefix', size);
  // Go cannot tell 0 from nothing.
  if (size !== 0 && (size < least || size > most)) {
    return [{ path, text: `IPv${family} block size must be between ${least} and ${most}, found ${size}` }];
  }
  if (disabled === true || prefixLength <= (size || usual)) return [];
  return [
    {
      path: 'spec.cidr',
      text: `IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size: a block of /${size || usual} does not fit into a /${prefixLength}; set spec.blockSize to ${Math.max(least, prefixLength)}`,
    },
  ];
}

function modeProblems(
  { vxlanMode = 'Never', ipipMode = 'Never' }: JsonObject,
  family: IpFamily,
): readonly Problem[] {
  const both =
    vxlanMode !== 'Never' && ipipMode !== 'Never'
      ? [
          {
            path: 'spec.vxlanMode',
            text: 'Cannot enable both VXLAN and IPIP on the same IPPool: set one of them to Never',
          },
        ]
      : [];
  const ipip6 =
    family === 6 && ipipMode !== 'Never'
      ? [
          {
            path: 'spec.ipipMode',
            text: 'IPIP is not supported on an IPv6 IP pool: leave it out, or use vxlanMode',
          },
        ]
      : [];
  return [...both, ...ipip6];
}

function useProblems({ allowedUses }: JsonObject): readonly Problem[] {
  if (!Array.isArray(allowedUses) || !allowedUses.includes('LoadBalancer') || allowedUses.length === 1)
    return [];
  return [
    { path: 'spec.allowedUses', text: 'LoadBalancer cannot be used simultaneously with Workload or Tunnel' },
  ];
}

/** With what is meant where nothing is said, as calicoctl stores it; only for a spec without problems. */
export function completePool(spec: JsonObject): JsonObject {
  const cidr = tryParseCidr(String(spec.cidr));
  const { allowedUses } = spec;
  return {
    ...spec,
    cidr: cidr === undefined ? spec.cidr : formatCidr(cidr),
    vxlanMode: spec.vxlanMode || 'Never',
    ipipMode: spec.ipipMode || 'Never',
    natOutgoing: spec.natOutgoing || undefined,
    disabled: spec.disabled || undefined,
    disableBGPExport: spec.disableBGPExport || undefined,
    blockSize: spec.blockSize || BLOCK_SIZES[cidr?.family ?? 4].usual,
    nodeSelector: spec.nodeSelector || 'all()',
    allowedUses: Array.isArray(allowedUses) && allowedUses.length > 0 ? allowedUses : ['Workload', 'Tunnel'],
    assignmentMode: spec.assignmentMode || 'Automatic',
  };
}
