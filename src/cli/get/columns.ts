/** The columns of each kind, and what they show of a resource: those of calicoctl. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import type { KindName } from '../resource-kinds.ts';

export interface TableContext {
  /** AS number of nodes that have none of their own. */
  readonly asNumber: string;
}

type Cell = (resource: JsonObject, context: TableContext) => string;

interface Columns {
  readonly usual: readonly string[];
  readonly wide: readonly string[];
  readonly cells: Readonly<Record<string, Cell>>;
}

const NAME: Cell = (resource) => textAt(resource, 'metadata', 'name');

const COLUMNS: Readonly<Record<KindName, Columns>> = {
  WorkloadEndpoint: {
    usual: ['WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE'],
    wide: ['NAME', 'WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE', 'PROFILES', 'NATS'],
    cells: {
      NAME,
      NAMESPACE: (resource) => textAt(resource, 'metadata', 'namespace'),
      NODE: spec('node'),
      ORCHESTRATOR: spec('orchestrator'),
      WORKLOAD: (resource) => textAt(resource, 'spec', 'workload') || textAt(resource, 'spec', 'pod'),
      NETWORKS: spec('ipNetworks'),
      NATS: spec('ipNATs'),
      PROFILES: spec('profiles'),
      INTERFACE: spec('interfaceName'),
    },
  },
  IPPool: {
    usual: ['NAME', 'CIDR', 'SELECTOR'],
    wide: [
      ...['NAME', 'CIDR', 'NAT', 'IPIPMODE', 'VXLANMODE', 'DISABLED', 'DISABLEBGPEXPORT', 'SELECTOR'],
      'ASSIGNMENTMODE',
    ],
    cells: {
      NAME,
      CIDR: spec('cidr'),
      NAT: flag('natOutgoing'),
      IPIPMODE: spec('ipipMode'),
      VXLANMODE: spec('vxlanMode'),
      DISABLED: flag('disabled'),
      DISABLEBGPEXPORT: flag('disableBGPExport'),
      SELECTOR: spec('nodeSelector'),
      ASSIGNMENTMODE: spec('assignmentMode'),
    },
  },
  Node: {
    usual: ['NAME'],
    wide: ['NAME', 'ASN', 'IPV4', 'IPV6'],
    cells: {
      NAME,
      ASN: (node, { asNumber }) => {
        const bgp = at(node, 'spec', 'bgp');
        return isJsonObject(bgp) ? formatValue(bgp.asNumber ?? '') || `(${asNumber})` : '';
      },
      IPV4: (node) => textAt(node, 'spec', 'bgp', 'ipv4Address'),
      IPV6: (node) => textAt(node, 'spec', 'bgp', 'ipv6Address'),
    },
  },
  Profile: {
    usual: ['NAME'],
    wide: ['NAME', 'LABELS'],
    cells: { NAME, LABELS: (profile) => formatLabels(at(profile, 'spec', 'labelsToApply')) },
  },
  IPReservation: {
    usual: ['NAME'],
    wide: ['NAME', 'CIDRS'],
    cells: { NAME, CIDRS: (reservation) => cut(textAt(reservation, 'spec', 'reservedCIDRs'), 80) },
  },
  IPAMConfiguration: {
    usual: ['NAME', 'STRICTAFFINITY', 'AUTOALLOCATEBLOCKS'],
    wide: ['NAME', 'STRICTAFFINITY', 'AUTOALLOCATEBLOCKS', 'MAXBLOCKSPERHOST'],
    cells: {
      NAME,
      STRICTAFFINITY: flag('strictAffinity'),
      AUTOALLOCATEBLOCKS: flag('autoAllocateBlocks'),
      MAXBLOCKSPERHOST: (resource) => textAt(resource, 'spec', 'maxBlocksPerHost') || '0',
    },
  },
};

export interface ColumnChoice {
  readonly isWide?: boolean;
  /** Exactly these. */
  readonly only?: readonly string[] | undefined;
  /** Whether the namespace comes first, where there is one. */
  readonly showsNamespace?: boolean;
}

/** Throws `config` for a heading that the kind does not have. */
export function headingsOf(kind: KindName, choice: ColumnChoice): readonly string[] {
  const { usual, wide, cells } = COLUMNS[kind];
  const chosen = choice.only ?? (choice.isWide === true ? wide : usual);
  const unknown = chosen.find((heading) => !Object.hasOwn(cells, heading));
  if (unknown !== undefined) {
    const known = Object.keys(cells).join(', ');
    throw new CalicoError('config', `Unknown heading ${unknown}, valid values are: ${known}`);
  }
  return choice.showsNamespace === true && 'NAMESPACE' in cells ? ['NAMESPACE', ...chosen] : chosen;
}

/** One cell for each heading. */
export function rowOf(
  kind: KindName,
  headings: readonly string[],
  resource: JsonObject,
  context: TableContext,
): readonly string[] {
  const { cells } = COLUMNS[kind];
  return headings.map((heading) => cells[heading]?.(resource, context) ?? '');
}

function spec(field: string): Cell {
  return (resource) => textAt(resource, 'spec', field);
}

function flag(field: string): Cell {
  return (resource) => textAt(resource, 'spec', field) || 'false';
}

function textAt(resource: JsonObject, ...path: readonly string[]): string {
  return formatValue(at(resource, ...path) ?? '');
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);
}

/** As Go's `%v` prints it; members of a list with commas between them. */
function formatValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(formatValue).join(',');
  if (isJsonObject(value)) return `{${Object.values(value).map(formatValue).join(' ')}}`;
  return String(value);
}

function formatLabels(labels: unknown): string {
  if (!isJsonObject(labels)) return '';
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}
