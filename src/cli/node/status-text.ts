/** The status of the agent, for people. Pure. */

import { escapeControls } from '../../base/printable.ts';
import { IPIP_DEVICE, VXLAN_DEVICES } from '../../node/desired/desired-host.ts';
import type { AgentStatus, DatastoreStatus, RouteStatus } from '../../node/status/agent-status.ts';
import { formatFramedTable } from '../table.ts';

type Pair = readonly [name: string, value: string | undefined];

const STATES: Readonly<Record<DatastoreStatus['state'], string>> = {
  waiting: 'not reached yet',
  reading: 'being read',
  following: 'followed',
  lost: 'not reached; what is known stays',
};

export interface StatusTextOptions {
  readonly nowMs: number;
  /** All of them, one by one. */
  readonly showsRoutes: boolean;
}

/** Each part only if it says something. */
export function statusText(status: AgentStatus, options: StatusTextOptions): string {
  return [
    section('Node', nodePart(status, options.nowMs)),
    section('Datastore and kernel', progressPart(status, options.nowMs)),
    section('Pools', poolTable(status)),
    section('Peers', peerTable(status)),
    section('Routes', options.showsRoutes ? routeTable(status.routes) : routeCounts(status.routes)),
    section('Findings', findingList(status)),
    ...Object.entries(status.more).map(([name, value]) => section(capital(name), moreText(value))),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function section(title: string, body: string): string {
  return body === '' ? '' : `${title}\n${body}`;
}

function nodePart({ node, version, since, addresses, ...status }: AgentStatus, nowMs: number): string {
  const { live, ready, tunnelAddresses, mtu, devices } = status;
  const notes = [...new Set([...live.notes, ...ready.notes])];
  return pairs([
    ['name', node],
    ['state', live.isWell ? (ready.isWell ? 'ready' : 'not ready') : 'stuck'],
    ...notes.map((note): Pair => ['', note]),
    ['agent', `${version}, running for ${ago(since, nowMs)}`],
    ['addresses', addresses.join(', ')],
    ['tunnel addresses', tunnelAddresses.join(', ')],
    ['tunnel devices', devices.map(({ name, mtu: bytes }) => `${name} (MTU ${bytes})`).join(', ')],
    ['MTU of pods', mtu],
  ]);
}

function progressPart({ datastore, kernel }: AgentStatus, nowMs: number): string {
  return pairs([
    ['datastore', `${STATES[datastore.state]}, for ${ago(datastore.since, nowMs)}`],
    ['error', datastore.error],
    ['revision', datastore.revision],
    ['last sign of life', datastore.heard && `${ago(datastore.heard, nowMs)} ago`],
    [
      'last round',
      kernel &&
        `${ago(kernel.lastRound, nowMs)} ago, because of ${kernel.cause}, ${count(kernel.changes, 'change')} in ${kernel.milliseconds} ms`,
    ],
    ['frozen', kernel?.frozen],
    ...(kernel?.failures ?? []).map((failure): Pair => ['failed', failure]),
  ]);
}

function poolTable({ pools }: AgentStatus): string {
  return table(
    ['POOL', 'CIDR', 'MODE', 'NAT', 'DISABLED'],
    pools.map(({ name, cidr, mode, natOutgoing, disabled }) => [
      ...[name, cidr, mode],
      ...[natOutgoing ? 'yes' : 'no', disabled ? 'yes' : 'no'],
    ]),
  );
}

function peerTable({ peers }: AgentStatus): string {
  return table(
    ['PEER', 'ADDRESS', 'MODE', 'TUNNEL ADDRESS', 'BLOCKS', 'ROUTES', 'PROBLEM'],
    peers.map(({ name, addresses, modes, tunnelAddresses, blocks, routes, problem = '' }) => [
      ...[name, addresses.join(', '), modes.join(', ') || '-', tunnelAddresses.join(', ')],
      ...[String(blocks), String(routes), problem],
    ]),
  );
}

function routeTable(routes: readonly RouteStatus[]): string {
  return table(
    ['DESTINATION', 'VIA', 'DEVICE'],
    routes.map(({ destination, type, via = '', device }) => [destination, via, device ?? type]),
  );
}

const TUNNELS: readonly string[] = [...Object.values(VXLAN_DEVICES), IPIP_DEVICE];

/** How many there are through each device. */
function routeCounts(routes: readonly RouteStatus[]): string {
  const groups = Map.groupBy(routes, ({ device, type, via }) => {
    if (device === undefined) return `to nowhere (${type})`;
    return via === undefined && !TUNNELS.includes(device) ? 'to its own pods' : `through ${device}`;
  });
  const counts = Array.from(groups, ([name, { length }]): Pair => [name, String(length)]);
  return pairs(counts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function findingList({ findings }: AgentStatus): string {
  return findings
    .toSorted((a, b) => (a.severity < b.severity ? -1 : a.severity > b.severity ? 1 : 0))
    .map(({ severity, message }) => `  ${severity}: ${escapeControls(message)}\n`)
    .join('');
}

function moreText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `  ${escapeControls(String(value))}\n`;
  return pairs(
    Object.entries(value).map(([name, member]) => [
      name,
      typeof member === 'object' ? JSON.stringify(member) : String(member),
    ]),
  );
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const isNumber = (at: number) => rows.every((row) => /^\d+$/.test(row[at] ?? ''));
  return formatFramedTable(
    titles.map((title, at) => ({ title, align: isNumber(at) ? 'right' : 'left' })),
    rows,
  );
}

function pairs(all: readonly Pair[]): string {
  const shown = all.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `  ${name.padEnd(width)}  ${escapeControls(value ?? '')}\n`).join('');
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** `12 s`, `5 min`, `3 h`, `40 d`: whole ones of the largest unit of which there are two. */
export function ago(time: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(time)) / 1000);
  const [amount, unit] =
    seconds < 120
      ? [seconds, 's']
      : seconds < 7_200
        ? [seconds / 60, 'min']
        : seconds < 172_800
          ? [seconds / 3_600, 'h']
          : [seconds / 86_400, 'd'];
  return `${Math.floor(Number(amount))} ${unit}`;
}
