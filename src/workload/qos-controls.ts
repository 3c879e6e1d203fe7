/** Limits on the traffic of one endpoint, which Felix puts in place. Pure. */

/** In the order Calico stores them. */
export const QOS_LIMITS = [
  'ingressBandwidth',
  'ingressBurst',
  'ingressPeakrate',
  'ingressMinburst',
  'egressBandwidth',
  'egressBurst',
  'egressPeakrate',
  'egressMinburst',
  'ingressPacketRate',
  'ingressPacketBurst',
  'egressPacketRate',
  'egressPacketBurst',
  'ingressMaxConnections',
  'egressMaxConnections',
] as const;

export type QosLimit = (typeof QOS_LIMITS)[number];

/** Bandwidths and peak rates in bit/s, bursts in bits, minimal bursts in bytes; what is absent is not limited. */
export type QosControls = Readonly<Partial<Record<QosLimit, number>>> & {
  /** Of packets that leave: a number below 64, or the name of a class, `EF`. */
  readonly dscp?: number | string;
};
