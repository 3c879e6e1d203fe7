/** Reads a result of any CNI version, as a delegate printed it or the runtime hands it on. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type IpNetwork, tryParseIpNetwork } from '../base/cidr.ts';
import { type IpAddress, tryParseIpAddress } from '../base/ip-address.ts';
import { describeJson, isJsonObject, type JsonObject, jsonMember } from '../base/json-object.ts';
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from './result.ts';
import { isSupportedVersion, NEWEST_VERSION } from './version.ts';

/**
 * Parses a result; `null` counts as an empty one. A result without `cniVersion` has the given one, which is
 * the configuration's. Throws `decode`, naming the member that is wrong.
 */
export function parseResult(value: unknown, undeclaredVersion: string): CniResult {
  const result = asObject({ value: value ?? {}, path: 'result' });
  const version = text(member(result, 'cniVersion')) || undeclaredVersion;
  if (!isSupportedVersion(version)) {
    throw new CalicoError('decode', `no converter for CNI result version ${version} to ${NEWEST_VERSION}`);
  }
  const isBefore030 = version === '0.1.0' || version === '0.2.0';
  return isBefore030 ? parseResult020(result) : parseResult100(result);
}

/**
 * The `prevResult` of a configuration, `undefined` when there is none. It has the configuration's version
 * (CNI 1.1 §CHECK). Throws `decode`.
 */
export function parsePrevResult(conf: {
  readonly json: JsonObject;
  readonly cniVersion: string;
}): CniResult | undefined {
  const value = jsonMember(conf.json, 'prevResult');
  if (value === undefined) return undefined;
  try {
    return parseResult(value, conf.cniVersion);
  } catch (cause) {
    if (!(cause instanceof CalicoError)) throw cause;
    throw new CalicoError('decode', `could not parse prevResult: ${cause.message}`, { cause });
  }
}

/** A value and where it was found, for messages: `ips[0].address`. */
interface Found {
  readonly value: unknown;
  readonly path: string;
}

interface FoundObject {
  readonly object: JsonObject;
  readonly path: string;
}

/** `ip4` becomes the first address, `ip6` the second; the routes of both are one list. */
function parseResult020(result: FoundObject): CniResult {
  const families = ['ip4', 'ip6'].flatMap((key) => optionalObject(member(result, key)) ?? []);
  return {
    interfaces: [],
    ips: families.map((family) => ({
      address: network(member(family, 'ip')),
      ...present({ gateway: address(member(family, 'gateway')) }),
    })),
    routes: families.flatMap((family) => list(member(family, 'routes')).map(parseRoute)),
    dns: parseDns(member(result, 'dns')),
  };
}

/** 0.3.0 and newer. The `version` of an address, which 1.0.0 dropped, is told by the address itself. */
function parseResult100(result: FoundObject): CniResult {
  return {
    interfaces: list(member(result, 'interfaces')).map(parseInterface),
    ips: list(member(result, 'ips')).map(parseIp),
    routes: list(member(result, 'routes')).map(parseRoute),
    dns: parseDns(member(result, 'dns')),
  };
}

function parseInterface(found: Found): CniInterface {
  const object = asObject(found);
  return {
    name: text(member(object, 'name')) ?? '',
    ...present({
      mac: text(member(object, 'mac')),
      mtu: integer(member(object, 'mtu')) || undefined,
      sandbox: text(member(object, 'sandbox')),
      socketPath: text(member(object, 'socketPath')),
      pciID: text(member(object, 'pciID')),
    }),
  };
}

function parseIp(found: Found): CniIp {
  const object = asObject(found);
  return {
    address: network(member(object, 'address')),
    ...present({
      gateway: address(member(object, 'gateway')),
      interface: integer(member(object, 'interface')),
    }),
  };
}

function parseRoute(found: Found): CniRoute {
  const object = asObject(found);
  return {
    dst: network(member(object, 'dst')),
    ...present({
      gw: address(member(object, 'gw')),
      mtu: integer(member(object, 'mtu')) || undefined,
      advmss: integer(member(object, 'advmss')) || undefined,
      priority: integer(member(object, 'priority')) || undefined,
      table: integer(member(object, 'table')),
      scope: integer(member(object, 'scope')),
    }),
  };
}

function parseDns(found: Found): CniDns {
  const object = optionalObject(found);
  if (object === undefined) return {};
  return present({
    nameservers: texts(member(object, 'nameservers')),
    domain: text(member(object, 'domain')),
    search: texts(member(object, 'search')),
    options: texts(member(object, 'options')),
  });
}

function member({ object, path }: FoundObject, name: string): Found {
  return { value: jsonMember(object, name), path: path === 'result' ? name : `${path}.${name}` };
}

function asObject({ value, path }: Found): FoundObject {
  if (isJsonObject(value)) return { object: value, path };
  throw wrong(path, 'an object', value);
}

function optionalObject(found: Found): FoundObject | undefined {
  return found.value === undefined ? undefined : asObject(found);
}

function list({ value, path }: Found): readonly Found[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(path, 'an array', value);
  return value.map((item: unknown, i) => ({ value: item, path: `${path}[${i}]` }));
}

/** An empty string is an absent one. */
function text({ value, path }: Found): string | undefined {
  if (value === undefined || typeof value === 'string') return value || undefined;
  throw wrong(path, 'a string', value);
}

function texts(found: Found): readonly string[] | undefined {
  const items = list(found).map((item) => {
    if (typeof item.value === 'string') return item.value;
    throw wrong(item.path, 'a string', item.value);
  });
  return items.length === 0 ? undefined : items;
}

function integer({ value, path }: Found): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(path, 'a whole number', value);
}

function address(found: Found): IpAddress | undefined {
  const written = text(found);
  const parsed = written === undefined ? undefined : tryParseIpAddress(written);
  if (written === undefined || parsed !== undefined) return parsed;
  throw wrong(found.path, 'an IP address', written);
}

function network({ value, path }: Found): IpNetwork {
  const parsed = typeof value === 'string' ? tryParseIpNetwork(value) : undefined;
  if (parsed === undefined) throw wrong(path, 'an address with a prefix length', value);
  return parsed;
}

function wrong(path: string, expected: string, value: unknown): CalicoError {
  return new CalicoError('decode', `${path} must be ${expected}, found ${describeJson(value)}`);
}

/** The members that are there, so that an absent one is not a member with the value `undefined`. */
function present<T extends object>(members: T): { readonly [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { readonly [K in keyof T]?: NonNullable<T[K]> };
}
