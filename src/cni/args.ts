/** CNI_ARGS: `K=V;K=V`, the runtime's extra arguments (CNI 1.1 §Parameters, CONVENTIONS.md §CNI_ARGS). Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../base/ip-address.ts';

/** The arguments that are understood; a key that is absent, or an empty IP, is `undefined`. */
export interface RuntimeArgs {
  readonly podName?: string;
  readonly podNamespace?: string;
  readonly podInfraContainerId?: string;
  readonly podUid?: string;
  /** The address the runtime asks for. */
  readonly ip?: IpAddress;
  /** Namespace of a workload that is not a pod; a test hook of Calico. */
  readonly testNamespace?: string;
}

const TEXT_KEYS: ReadonlyMap<string, Exclude<keyof RuntimeArgs, 'ip'>> = new Map([
  ['K8S_POD_NAME', 'podName'],
  ['K8S_POD_NAMESPACE', 'podNamespace'],
  ['K8S_POD_INFRA_CONTAINER_ID', 'podInfraContainerId'],
  ['K8S_POD_UID', 'podUid'],
  ['CNI_TEST_NAMESPACE', 'testNamespace'],
]);

/**
 * CNI_ARGS as Calico hands it on to delegates: unknown keys are ignored unless the runtime itself says
 * `IgnoreUnknown=0`, because the last occurrence of a key counts.
 */
export function lenientArgs(args: string): string {
  return args === '' ? 'IgnoreUnknown=1' : `IgnoreUnknown=1;${args}`;
}

/** CNI_ARGS that ask the IPAM plugin for this address, whatever address they asked for before. */
export function argsWithIp(args: string, ip: IpAddress): string {
  const pair = `IP=${formatIpAddress(ip)}`;
  return args === '' ? pair : `${args};${pair}`;
}

/** Parses CNI_ARGS. Keys are case-sensitive, the last occurrence counts. Throws `environment`. */
export function parseArgs(args: string): RuntimeArgs {
  const pairs = lenientArgs(args).split(';').map(splitPair);
  const texts = pairs.flatMap(({ key, value }) => {
    const field = TEXT_KEYS.get(key);
    return field === undefined ? [] : [[field, value] as const];
  });
  const ip = pairs.reduce<IpAddress | undefined>(readIp, undefined);
  refuseUnknown(pairs);
  return { ...Object.fromEntries(texts), ...(ip === undefined ? {} : { ip }) };
}

interface Pair {
  readonly text: string;
  readonly key: string;
  readonly value: string;
}

function splitPair(text: string): Pair {
  const [key, value, ...rest] = text.split('=');
  if (key === undefined || value === undefined || rest.length > 0) {
    throw new CalicoError('environment', `ARGS: invalid pair ${JSON.stringify(text)}`);
  }
  return { text, key, value };
}

function readIp(previous: IpAddress | undefined, { text, key, value }: Pair): IpAddress | undefined {
  if (key !== 'IP') return previous;
  const address = tryParseIpAddress(value);
  if (address === undefined && value !== '') throw badValue(text, `invalid IP address: ${value}`);
  return address;
}

function refuseUnknown(pairs: readonly Pair[]): void {
  const ignoreUnknown = pairs
    .filter(({ key }) => key === 'IgnoreUnknown')
    .map(readBoolean)
    .at(-1);
  const unknown = pairs.filter(({ key }) => !TEXT_KEYS.has(key) && key !== 'IP' && key !== 'IgnoreUnknown');
  if (ignoreUnknown === true || unknown.length === 0) return;
  const list = unknown.map(({ text }) => JSON.stringify(text)).join(' ');
  throw new CalicoError('environment', `ARGS: unknown args [${list}]`);
}

function readBoolean({ text, value }: Pair): boolean {
  switch (value.toLowerCase()) {
    case '1':
    case 'true':
      return true;
    case '0':
    case 'false':
      return false;
    default:
      throw badValue(text, `boolean unmarshal error: invalid input ${value.toLowerCase()}`);
  }
}

function badValue(pair: string, why: string): CalicoError {
  return new CalicoError('environment', `ARGS: error parsing value of pair ${JSON.stringify(pair)}: ${why}`);
}
