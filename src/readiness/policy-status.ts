/**
 * What Felix says of an endpoint whose policy it has programmed: a file per endpoint. Pure.
 *
 * Older releases of Felix leave the file empty, newer ones write `{"ifaceName":…,"mac":…,"ipv4Nets":[…],"ipv6Nets":[…]}`.
 */

import { formatIpNetwork } from '../base/cidr.ts';
import { isJsonObject, type JsonObject } from '../base/json-object.ts';
import type { WorkloadEndpoint } from '../workload/workload-endpoint.ts';
import { escapePathSegment } from './path-escape.ts';

/** What of a pod's endpoint the file tells. */
export type ReportedEndpoint = Pick<
  WorkloadEndpoint,
  'orchestrator' | 'namespace' | 'endpoint' | 'mac' | 'ipNetworks'
> & { readonly podName: string };

/** Name of the file: `k8s default%2Fweb-1 eth0`. */
export function statusFileName({ orchestrator, namespace, podName, endpoint }: ReportedEndpoint): string {
  return [orchestrator, `${namespace}/${podName}`, endpoint].map(escapePathSegment).join(' ');
}

/**
 * Whether the file's text is about the endpoint as it is now: same MAC, same addresses, as far as it names any. The
 * report on an earlier sandbox of the pod can still be there. Its age does not tell: Felix does not write again what
 * it has written already. An empty file is taken at its word, as Calico does.
 */
export function isReportOn(text: string, endpoint: ReportedEndpoint): boolean {
  if (text.trim() === '') return true;
  const report = tryParseReport(text);
  if (report === undefined) return false;
  const { mac, ipv4Nets = [], ipv6Nets = [] } = report;
  const nets = [ipv4Nets, ipv6Nets].flat().filter((net) => typeof net === 'string');
  const wanted = endpoint.ipNetworks.map(formatIpNetwork);
  const isSameMac = typeof mac !== 'string' || mac.toLowerCase() === endpoint.mac?.toLowerCase();
  return isSameMac && (nets.length === 0 || wanted.every((net) => nets.includes(net)));
}

/** `undefined` when it is no JSON object: Felix may be writing it at this moment. */
function tryParseReport(text: string): JsonObject | undefined {
  try {
    const report: unknown = JSON.parse(text);
    return isJsonObject(report) ? report : undefined;
  } catch {
    return undefined;
  }
}
