/**
 * Prints a result in the shape of every CNI version, byte for byte as the Go library does: 4 spaces of
 * indentation, no newline at the end. The order of the keys below is the order in print. Pure.
 */

import { CalicoError } from '../base/calico-error.ts';
import { formatIpNetwork } from '../base/cidr.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from './result.ts';
import type { CniVersion } from './version.ts';

/** Throws `version` when the version cannot express the result: before 0.3.0 it must hold an address. */
export function formatResult(result: CniResult, version: CniVersion): string {
  return JSON.stringify(toWire(result, version), null, 4);
}

/** `JSON.stringify` leaves out what is `undefined`; that is how all that is empty goes away. */
function toWire(result: CniResult, version: CniVersion): object {
  switch (version) {
    case '0.1.0':
    case '0.2.0':
      return toWire020(result, version);
    case '0.3.0':
    case '0.3.1':
    case '0.4.0':
      return toWire040(result, version);
    case '1.0.0':
    case '1.1.0':
      return toWire100(result, version);
  }
}

/** One address per family; of the routes only those of a family that has an address. */
function toWire020(result: CniResult, cniVersion: CniVersion): object {
  const ip4 = familyToWire020(result, 4);
  const ip6 = familyToWire020(result, 6);
  if (ip4 === undefined && ip6 === undefined) {
    throw new CalicoError('version', 'cannot convert: no valid IP addresses', {
      details: `a CNI ${cniVersion} result must hold an address`,
    });
  }
  return { cniVersion, ip4, ip6, dns: dnsToWire(result.dns) };
}

function familyToWire020({ ips, routes }: CniResult, family: IpFamily): object | undefined {
  const first = ips.find(({ address }) => address.address.family === family);
  if (first === undefined) return undefined;
  const own = routes.filter(({ dst }) => dst.address.family === family);
  return {
    ip: formatIpNetwork(first.address),
    gateway: addressToWire(first.gateway),
    routes: nonEmpty(own.map(({ dst, gw }) => ({ dst: formatIpNetwork(dst), gw: addressToWire(gw) }))),
  };
}

function toWire040(result: CniResult, cniVersion: CniVersion): object {
  return {
    cniVersion,
    interfaces: nonEmpty(result.interfaces.map(interfaceToWire040)),
    ips: nonEmpty(result.ips.map(ipToWire040)),
    routes: nonEmpty(result.routes.map(routeToWire040)),
    dns: dnsToWire(result.dns),
  };
}

function interfaceToWire040({ name, mac, sandbox }: CniInterface): object {
  return { name, mac: mac || undefined, sandbox: sandbox || undefined };
}

function ipToWire040({ address, gateway, interface: index }: CniIp): object {
  return {
    version: String(address.address.family),
    interface: index,
    address: formatIpNetwork(address),
    gateway: addressToWire(gateway),
  };
}

/** Only `dst` and `gw` exist in these versions; the Go library keeps the rest, and so do we. */
function routeToWire040({ dst, gw, mtu, advmss, priority, table, scope }: CniRoute): object {
  return {
    dst: formatIpNetwork(dst),
    gw: addressToWire(gw),
    mtu: mtu || undefined,
    advmss: advmss || undefined,
    priority: priority || undefined,
    table,
    scope,
  };
}

/** Keys in alphabetical order at every level, and no `dns` when it is empty. */
function toWire100(result: CniResult, cniVersion: CniVersion): object {
  const { domain, nameservers, options, search } = dnsToWire(result.dns);
  const hasDns = [domain, nameservers, options, search].some((value) => value !== undefined);
  return {
    cniVersion,
    dns: hasDns ? { domain, nameservers, options, search } : undefined,
    interfaces: nonEmpty(result.interfaces.map(interfaceToWire100)),
    ips: nonEmpty(result.ips.map(ipToWire100)),
    routes: nonEmpty(result.routes.map(routeToWire100)),
  };
}

/** `mtu`, `pciID` and `socketPath` came with 1.1.0; the Go library prints them in a 1.0.0 result, too. */
function interfaceToWire100({ name, mac, mtu, sandbox, socketPath, pciID }: CniInterface): object {
  return {
    mac: mac || undefined,
    mtu: mtu || undefined,
    name,
    pciID: pciID || undefined,
    sandbox: sandbox || undefined,
    socketPath: socketPath || undefined,
  };
}

function ipToWire100({ address, gateway, interface: index }: CniIp): object {
  return { address: formatIpNetwork(address), gateway: addressToWire(gateway), interface: index };
}

function routeToWire100({ dst, gw, mtu, advmss, priority, table, scope }: CniRoute): object {
  return {
    advmss: advmss || undefined,
    dst: formatIpNetwork(dst),
    gw: addressToWire(gw),
    mtu: mtu || undefined,
    priority: priority || undefined,
    scope,
    table,
  };
}

function dnsToWire({ nameservers, domain, search, options }: CniDns): CniDnsWire {
  return {
    nameservers: nonEmpty(nameservers),
    domain: domain || undefined,
    search: nonEmpty(search),
    options: nonEmpty(options),
  };
}

interface CniDnsWire {
  readonly nameservers: readonly string[] | undefined;
  readonly domain: string | undefined;
  readonly search: readonly string[] | undefined;
  readonly options: readonly string[] | undefined;
}

function addressToWire(address: IpAddress | undefined): string | undefined {
  return address === undefined ? undefined : formatIpAddress(address);
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
