/**
 * Limits on a pod's traffic, from its annotations. What is wrong in them never fails a pod: a value out of range
 * becomes the nearest one in it, anything else is left out, and a note says so (Calico's conversion). Pure.
 */

import { printable } from '../base/printable.ts';
import type { QosControls } from '../workload/qos-controls.ts';
import { parseDscp } from './dscp.ts';
import type { Pod } from './objects.ts';
import { parseQuantity } from './quantity.ts';

export interface PodQos {
  readonly qosControls: QosControls;
  readonly notes: readonly string[];
}

type Annotations = Pod['annotations'];
type Direction = 'ingress' | 'egress';
type Note = (text: string) => void;

interface Limit {
  /** Its name in messages. */
  readonly words: string;
  /** Quantities; messages show them as they are here. */
  readonly least: string;
  readonly most: string;
}

const PREFIX = 'qos.projectcalico.org/';
const LIMITS = {
  Bandwidth: { words: 'bandwidth', least: '1k', most: '1P' },
  // 2^32 − 1 bytes.
  Burst: { words: 'burst', least: '1k', most: '34359738360' },
  // It must exceed the bandwidth, so its bounds do.
  Peakrate: { words: 'peakrate', least: '1.01k', most: '1.01P' },
  Minburst: { words: 'minburst', least: '1k', most: '100M' },
  // The kernel's own limits of xt_limit and xt_connlimit.
  PacketRate: { words: 'packet rate', least: '1', most: '10k' },
  PacketBurst: { words: 'packet burst', least: '1', most: '10k' },
  MaxConnections: { words: 'max connections', least: '1', most: '4294967295' },
} as const satisfies Record<string, Limit>;

/** 4 Gi bits, and 5 packets. */
const DEFAULT_BURST = 2 ** 32;
const DEFAULT_PACKET_BURST = 5;

export function podQos({ annotations }: Pod): PodQos {
  const notes: string[] = [];
  const note: Note = (text) => notes.push(text);
  const limits = [
    ...directionLimits('ingress', annotations, note),
    ...directionLimits('egress', annotations, note),
  ];
  const present = Object.fromEntries(limits.filter(([, value]) => value !== 0));
  return { qosControls: { ...present, ...dscpControl(annotations, note) }, notes };
}

/** 0 stands for none, as in Calico's records. */
function directionLimits(direction: Direction, annotations: Annotations, note: Note) {
  const read = (kind: keyof typeof LIMITS) => readLimit(direction, kind, annotations, note);
  const needs = (value: number, isMet: boolean, words: string) => {
    if (value === 0 || isMet) return value;
    note(words.replaceAll('%', direction));
    return 0;
  };
  const bandwidth = read('Bandwidth');
  const burst = needs(
    read('Burst'),
    bandwidth !== 0,
    '% bandwidth must be specified when % burst is specified',
  );
  const askedPeakrate = read('Peakrate');
  const peakrate = needs(
    askedPeakrate,
    bandwidth !== 0 && bandwidth < askedPeakrate,
    '% peakrate must be greater than % bandwidth when specified',
  );
  const minburst = needs(
    read('Minburst'),
    peakrate !== 0,
    '% peakrate must be specified when % minburst is specified',
  );
  const packetRate = read('PacketRate');
  const packetBurst = needs(
    read('PacketBurst'),
    packetRate !== 0,
    '% packet rate must be specified when % packet burst is specified',
  );
  return [
    [`${direction}Bandwidth`, bandwidth],
    [`${direction}Burst`, burst || (bandwidth && DEFAULT_BURST)],
    [`${direction}Peakrate`, peakrate],
    [`${direction}Minburst`, minburst],
    [`${direction}PacketRate`, packetRate],
    [`${direction}PacketBurst`, packetBurst || (packetRate && DEFAULT_PACKET_BURST)],
    [`${direction}MaxConnections`, read('MaxConnections')],
  ] as const;
}

/** The number within its bounds; 0 when there is none. */
function readLimit(
  direction: Direction,
  kind: keyof typeof LIMITS,
  annotations: Annotations,
  note: Note,
): number {
  const key = keyOf(direction, kind, annotations);
  const text = annotations[key];
  if (text === undefined) return 0;
  const { words, least, most } = LIMITS[kind];
  const value = parseQuantity(text);
  const complain = (what: string) =>
    note(`error parsing ${direction} ${words} annotation: ${what} (${key} is '${printable(text)}')`);
  const [min, max] = [numberOf(least), numberOf(most)];
  if (value === undefined) {
    complain('it is not a quantity such as 10M, 1Gi or 1e6, and is ignored');
    return 0;
  }
  if (value < min) {
    complain(`resource specified is too small (less than ${least}), setting it to ${least}`);
    return min;
  }
  if (value > max) {
    complain(`resource specified is too large (more than ${most}), setting it to ${most}`);
    return max;
  }
  return Number(value);
}

/** Calico's own annotation of a bandwidth overrides that of Kubernetes. */
function keyOf(direction: Direction, kind: keyof typeof LIMITS, annotations: Annotations): string {
  const key = `${PREFIX}${direction}${kind}`;
  return kind === 'Bandwidth' && annotations[key] === undefined
    ? `kubernetes.io/${direction}-bandwidth`
    : key;
}

function numberOf(quantity: string): number {
  return Number(parseQuantity(quantity));
}

function dscpControl(annotations: Annotations, note: Note): Pick<QosControls, 'dscp'> {
  const key = `${PREFIX}dscp`;
  const text = annotations[key];
  if (text === undefined) return {};
  const dscp = parseDscp(text);
  if (dscp !== undefined) return { dscp };
  note(
    `error parsing DSCP annotation: ${printable(text)} is not a valid DSCP value: it must be 0 to 63 or the name of a class, and is ignored (${key})`,
  );
  return {};
}
