/**
 * Limits on a pod's traffic, from its annotations. What is wrong in them never fails a pod: a value out of range
 * becomes the nearest one in it, anything else is left out, and a note says so (Calico's conversion). Pure.
 */

import { printable } from '../base/printable.ts';
import type { QosControls } from '../workload/qos-controls.ts';
import { parseDscp } from './dscp.ts';
import type { Pod } from './objects.ts';
import { type Direction, type LimitKind, readLimit } from './qos-limit.ts';

export interface PodQos {
  readonly qosControls: QosControls;
  readonly notes: readonly string[];
}

/** Of one direction; 0 stands for no limit. */
type Limits = Readonly<Record<LimitKind, number>>;

interface Need {
  readonly kind: LimitKind;
  readonly isMet: (limits: Limits) => boolean;
  /** `%` is the direction. */
  readonly words: string;
}

/** In this order: what does not get what it needs cannot be needed either. */
const NEEDS: readonly Need[] = [
  {
    kind: 'Burst',
    isMet: ({ Bandwidth }) => Bandwidth !== 0,
    words: '% bandwidth must be specified when % burst is specified',
  },
  {
    kind: 'Peakrate',
    isMet: ({ Bandwidth, Peakrate }) => Bandwidth !== 0 && Peakrate > Bandwidth,
    words: '% peakrate must be greater than % bandwidth when specified',
  },
  {
    kind: 'Minburst',
    isMet: ({ Peakrate }) => Peakrate !== 0,
    words: '% peakrate must be specified when % minburst is specified',
  },
  {
    kind: 'PacketBurst',
    isMet: ({ PacketRate }) => PacketRate !== 0,
    words: '% packet rate must be specified when % packet burst is specified',
  },
];

/** 4 Gi bits, and 5 packets. */
const DEFAULT_BURST = 2 ** 32;
const DEFAULT_PACKET_BURST = 5;

export function podQos({ annotations }: Pod): PodQos {
  const parts = [
    directionQos('ingress', annotations),
    directionQos('egress', annotations),
    podDscp(annotations),
  ];
  return {
    qosControls: Object.assign({}, ...parts.map(({ qosControls }) => qosControls)),
    notes: parts.flatMap(({ notes }) => notes),
  };
}

function directionQos(direction: Direction, annotations: Pod['annotations']): PodQos {
  const notes: string[] = [];
  const read = (kind: LimitKind) => {
    const limit = readLimit(direction, kind, annotations);
    notes.push(...limit.notes);
    return limit.value;
  };
  const meet = (limits: Limits, { kind, isMet, words }: Need): Limits => {
    if (limits[kind] === 0 || isMet(limits)) return limits;
    notes.push(words.replaceAll('%', direction));
    return { ...limits, [kind]: 0 };
  };
  const asked: Limits = {
    Bandwidth: read('Bandwidth'),
    Burst: read('Burst'),
    Peakrate: read('Peakrate'),
    Minburst: read('Minburst'),
    PacketRate: read('PacketRate'),
    PacketBurst: read('PacketBurst'),
    MaxConnections: read('MaxConnections'),
  };
  const limits = Object.entries(withDefaults(NEEDS.reduce(meet, asked)));
  const present = limits.filter(([, value]) => value !== 0);
  return {
    qosControls: Object.fromEntries(present.map(([kind, value]) => [direction + kind, value])),
    notes,
  };
}

function withDefaults(limits: Limits): Limits {
  const { Bandwidth, Burst, PacketRate, PacketBurst } = limits;
  return {
    ...limits,
    Burst: Bandwidth !== 0 && Burst === 0 ? DEFAULT_BURST : Burst,
    PacketBurst: PacketRate !== 0 && PacketBurst === 0 ? DEFAULT_PACKET_BURST : PacketBurst,
  };
}

function podDscp(annotations: Pod['annotations']): PodQos {
  const key = 'qos.projectcalico.org/dscp';
  const text = annotations[key];
  if (text === undefined) return { qosControls: {}, notes: [] };
  const dscp = parseDscp(text);
  if (dscp !== undefined) return { qosControls: { dscp }, notes: [] };
  const problem = `${printable(text)} is not a valid DSCP value`;
  return {
    qosControls: {},
    notes: [
      `error parsing DSCP annotation: ${problem}: it must be 0 to 63 or the name of a class, and is ignored (${key})`,
    ],
  };
}
