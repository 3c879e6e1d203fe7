/**
 * The settings that a FelixConfiguration has for routes, tunnels and NAT, with Felix's defaults: in etcd nobody fills
 * them in. Pure.
 */

import { type IpAddress, tryParseIpAddress } from '../base/ip-address.ts';
import { describeJson } from '../base/json-object.ts';
import type { ClusterState, PerFamily, SettingFields } from './cluster.ts';
import type { PortRange } from './desired/desired-host.ts';
import type { Finding } from './finding.ts';

/** Which routes within the cluster Felix makes, and BIRD does not. */
export type ClusterRoutes = 'Disabled' | 'EnabledIPIPOnly' | 'EnabledNoEncapOnly' | 'Enabled';

export interface FelixSettings {
  readonly vxlanVni: number;
  /** UDP. */
  readonly vxlanPort: number;
  /** Bytes; 0: derived from the host's interfaces. */
  readonly vxlanMtu: PerFamily<number>;
  readonly ipipMtu: number;
  /** Interfaces whose MTU counts. */
  readonly mtuIfacePattern: RegExp;
  /** `undefined`: when there is a pool that needs it. */
  readonly isVxlanEnabled: boolean | undefined;
  readonly isIpipEnabled: boolean | undefined;
  readonly programClusterRoutes: ClusterRoutes;
  readonly routeSource: PerFamily<IpAddress | undefined>;
  readonly forwardsIp: boolean;
  /** Whether checksums of tunnelled packets come out wrong where they are left to others, see {@link OFFLOAD_IS_BROKEN}. */
  readonly isChecksumOffloadBroken: boolean;
  readonly natPorts: PortRange | undefined;
  readonly natAddress: IpAddress | undefined;
  /** Packets to the nodes themselves keep the pod's address as well. */
  readonly excludesHostsFromNat: boolean;
  /** Interface names, `*` standing for any end; empty: all. */
  readonly natInterfaces: readonly string[];
  /** Where numbers are for Prometheus; on, where Felix has it off, but on loopback alone. */
  readonly metrics: ServedAt;
  /** Where a kubelet or a load balancer asks whether the agent is well. */
  readonly health: ServedAt;
}

export interface ServedAt {
  readonly isEnabled: boolean;
  /** An address or a name of this host; `0.0.0.0` for all. */
  readonly host: string;
  /** TCP. */
  readonly port: number;
}

const MTU_IFACE_PATTERN = '^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)';
export const CLUSTER_ROUTES: readonly ClusterRoutes[] = [
  'Disabled',
  'EnabledIPIPOnly',
  'EnabledNoEncapOnly',
  'Enabled',
];
const MAX_PORT = 65_535;
const MAX_VNI = 2 ** 24 - 1;
const MAX_MTU = 65_535;
/** What the kernel makes a tunnel with at least; IPv6 asks for more. */
const MIN_MTU = { 4: 68, 6: 1_280 };

/** Reads a value; `undefined` when it is not one. */
type Reader<Value> = (value: unknown) => Value | undefined;

/** One setting: the first layer that has it decides, and what cannot be understood is replaced by the default. */
type Setting = <Value>(name: string, fallback: Value, read: Reader<Value>) => Value;

/** Environment before `node.<name>` before `default` before what Felix does without any. */
export function felixSettings(cluster: ClusterState): {
  readonly settings: FelixSettings;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const layers = layersOf(cluster);
  const setting: Setting = (name, fallback, read) => {
    const layer = layers.find((one) => isGiven(one[name]));
    if (layer === undefined) return fallback;
    const understood = read(layer[name]);
    if (understood === undefined)
      findings.push(invalidSetting(name, layer[name], layer === cluster.felixOverrides));
    return understood ?? fallback;
  };
  return { settings: readSettings(setting), findings };
}

function readSettings(setting: Setting): FelixSettings {
  const mtu = (name: string, family: 4 | 6 = 4) => setting(name, 0, mtuFrom(MIN_MTU[family]));
  return {
    vxlanVni: setting('vxlanVNI', 4096, integerFrom(1, MAX_VNI)),
    vxlanPort: setting('vxlanPort', 4789, integerFrom(1, MAX_PORT)),
    vxlanMtu: { 4: mtu('vxlanMTU'), 6: mtu('vxlanMTUV6', 6) },
    ipipMtu: mtu('ipipMTU'),
    mtuIfacePattern: setting('mtuIfacePattern', new RegExp(MTU_IFACE_PATTERN), pattern),
    isVxlanEnabled: setting<boolean | undefined>('vxlanEnabled', undefined, boolean),
    isIpipEnabled: setting<boolean | undefined>('ipipEnabled', undefined, boolean),
    programClusterRoutes: setting('programClusterRoutes', 'EnabledIPIPOnly', oneOf(CLUSTER_ROUTES)),
    routeSource: {
      4: setting<IpAddress | undefined>('deviceRouteSourceAddress', undefined, addressOf(4)),
      6: setting<IpAddress | undefined>('deviceRouteSourceAddressIPv6', undefined, addressOf(6)),
    },
    forwardsIp: setting('ipForwarding', 'Enabled', oneOf(['Enabled', 'Disabled'])) === 'Enabled',
    isChecksumOffloadBroken:
      setting('featureDetectOverride', NO_FEATURES, features).get('ChecksumOffloadBroken') ??
      OFFLOAD_IS_BROKEN,
    natPorts: setting<PortRange | undefined>('natPortRange', undefined, portRange),
    natAddress: setting<IpAddress | undefined>('natOutgoingAddress', undefined, addressOf(4)),
    excludesHostsFromNat:
      setting('natOutgoingExclusions', 'IPPoolsOnly', oneOf(['IPPoolsOnly', 'IPPoolsAndHostIPs'])) ===
      'IPPoolsAndHostIPs',
    natInterfaces: setting('iptablesNATOutgoingInterfaceFilter', [], nameList),
    metrics: servedAt(setting, 'prometheusMetrics', 9091),
    health: servedAt(setting, 'health', 9099),
  };
}

function servedAt(setting: Setting, of: string, port: number): ServedAt {
  return {
    isEnabled: setting(`${of}Enabled`, true, boolean),
    host: setting(`${of}Host`, '127.0.0.1', hostName),
    port: setting(`${of}Port`, port, integerUpTo(MAX_PORT)),
  };
}

function layersOf({ felix, felixOverrides, nodeName }: ClusterState): readonly SettingFields[] {
  return [felixOverrides, felix.get(`node.${nodeName}`) ?? {}, felix.get('default') ?? {}];
}

/** Go writes an absent value as `null`, as empty text or not at all. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function invalidSetting(name: string, value: unknown, isOfEnvironment: boolean): Finding {
  const [origin, remedy] = isOfEnvironment
    ? [`environment, FELIX_${name.toUpperCase()}`, 'Correct it, and start the agent again.']
    : ['FelixConfiguration', 'Correct it with calicoctl.'];
  return {
    kind: 'invalid-setting',
    severity: 'warning',
    subject: name,
    message: `${origin}: ${name} cannot be ${describeJson(value)}; its default is used. ${remedy}`,
  };
}

/** The environment has numbers as text. */
function integerUpTo(most: number): Reader<number> {
  return (value) => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most
      ? number
      : undefined;
  };
}

/** The kernel takes 0 for something of its own, and what it makes would never be as wanted. */
function integerFrom(least: number, most: number): Reader<number> {
  const read = integerUpTo(most);
  return (value) => {
    const number = read(value);
    return number !== undefined && number >= least ? number : undefined;
  };
}

/** 0: as the host's interfaces say. */
function mtuFrom(least: number): Reader<number> {
  const read = integerFrom(least, MAX_MTU);
  return (value) => (value === 0 || value === '0' ? 0 : read(value));
}

function boolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

function oneOf<Text extends string>(known: readonly Text[]): Reader<Text> {
  return (value) => known.find((text) => text.toLowerCase() === String(value).toLowerCase());
}

function addressOf(family: 4 | 6): Reader<IpAddress> {
  return (value) => {
    const address = typeof value === 'string' ? tryParseIpAddress(value) : undefined;
    return address?.family === family ? address : undefined;
  };
}

function hostName(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:-]+$/.test(value) ? value : undefined;
}

function pattern(value: unknown): RegExp | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return new RegExp(value);
  } catch {
    return undefined;
  }
}

/** `32768:65535`, or one port, also as a number. */
function portRange(value: unknown): PortRange | undefined {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(String(value));
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= MAX_PORT ? { first, last } : undefined;
}

/**
 * Before Linux 5.7 the kernel, and on some hypervisors the card to this day, sends wrong checksums with what is tunnelled, so
 * that everything but ping is lost (Calico's issues 3145, 4865, 9433). Felix has twice trusted them by default, and gone back.
 */
const OFFLOAD_IS_BROKEN = true;

const NO_FEATURES: ReadonlyMap<string, boolean> = new Map();

/** `ChecksumOffloadBroken=true,SNATFullyRandom=false`: what Felix would otherwise find out by itself. */
function features(value: unknown): ReadonlyMap<string, boolean> | undefined {
  const items = String(value)
    .split(',')
    .map((item) => /^\s*(\w+)=(true|false)\s*$/i.exec(item));
  if (items.some((item) => item === null)) return undefined;
  return new Map(items.map((item) => [item?.[1] ?? '', item?.[2]?.toLowerCase() === 'true']));
}

function nameList(value: unknown): readonly string[] | undefined {
  if (typeof value !== 'string') return undefined;
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return names.length > 0 ? names : undefined;
}
