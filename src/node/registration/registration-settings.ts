/** What calico/node's environment says about registering a host. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { NODENAME_FILE } from '../../config/node-name.ts';
import type { PerFamily } from '../cluster.ts';
import { type AddressSetting, parseAddressSetting } from './address-setting.ts';
import { type DetectionMethod, parseDetectionMethod } from './detection-method.ts';
import { parseGoDuration } from './go-duration.ts';
import { type WantedPool, wantedPool } from './wanted-pool.ts';

export interface RegistrationSettings {
  /** NODENAME; `undefined`: the file, then HOSTNAME, then what the system is called. */
  readonly nodeName: string | undefined;
  readonly nodeNameFile: string;
  readonly hostname: string | undefined;
  readonly addresses: PerFamily<AddressSetting>;
  readonly methods: PerFamily<DetectionMethod>;
  /** Whether an address that another Node has is refused. */
  readonly checksConflicts: boolean;
  /** How often our own address is looked at again. */
  readonly pollMs: number;
  /** AS number for BGP; `undefined`: what the Node has. */
  readonly asNumber: number | undefined;
  /** Name of the Node of Kubernetes, if it is to be recorded. */
  readonly kubernetesNode: string | undefined;
  /** Pools that are made where their family has none. */
  readonly pools: readonly WantedPool[];
}

export type RegistrationEnvironment = Readonly<Record<string, string | undefined>>;

const POLL_MS = 60_000;
const MAX_AS_NUMBER = 2 ** 32 - 1;

/**
 * Throws `config`, naming the variable and its value. An empty variable counts as absent. Those that Calico's
 * /etc/calico/calico.env has a prefix for may have it: CALICO_NODENAME, CALICO_IP, CALICO_IP6, CALICO_AS.
 */
export function readRegistrationSettings(env: RegistrationEnvironment): RegistrationSettings {
  const variable = (name: string) => env[name]?.trim() || undefined;
  const prefixed = (name: string) => variable(name) ?? variable(`CALICO_${name}`);
  const poll = variable('AUTODETECT_POLL_INTERVAL');
  return {
    nodeName: prefixed('NODENAME'),
    nodeNameFile: variable('CALICO_NODENAME_FILE') ?? NODENAME_FILE,
    hostname: variable('HOSTNAME')?.toLowerCase(),
    addresses: {
      4: parseAddressSetting(prefixed('IP') ?? '', 4, 'IP'),
      6: parseAddressSetting(prefixed('IP6') ?? '', 6, 'IP6'),
    },
    methods: { 4: method(env, 'IP_AUTODETECTION_METHOD'), 6: method(env, 'IP6_AUTODETECTION_METHOD') },
    checksConflicts: variable('DISABLE_NODE_IP_CHECK') !== 'true',
    pollMs: poll === undefined ? POLL_MS : parseGoDuration(poll, 'AUTODETECT_POLL_INTERVAL'),
    asNumber: variable('CALICO_NETWORKING_BACKEND') === 'none' ? undefined : asNumber(prefixed('AS')),
    kubernetesNode: variable('CALICO_K8S_NODE_REF'),
    pools: ([4, 6] as const).flatMap((family) => wantedPool(env, family) ?? []),
  };
}

function method(env: RegistrationEnvironment, name: string): DetectionMethod {
  return parseDetectionMethod(env[name]?.trim() ?? '', name);
}

/** A number, or two with a dot between, as operators write it. */
function asNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, high, low = ''] = /^(?:(\d{1,5})\.)?(\d{1,10})$/.exec(text) ?? [];
  const number = high === undefined ? Number(low || Number.NaN) : Number(high) * 65_536 + Number(low);
  const isValid = high === undefined || (Number(high) < 65_536 && Number(low) < 65_536);
  if (isValid && number <= MAX_AS_NUMBER) return number;
  throw new CalicoError(
    'config',
    `invalid AS ${JSON.stringify(text)}: it must be a number up to ${MAX_AS_NUMBER}`,
  );
}
