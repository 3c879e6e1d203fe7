/** Keeps this host registered: its Node, and the addresses of its tunnels. */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import { type Clock, type Deadline, deadlineIn } from '../../base/deadline.ts';
import type { Interruption } from '../../base/interruption.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../base/ip-address.ts';
import type { Log } from '../../base/log.ts';
import { pause } from '../../base/pause.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { settle } from '../../datastore/settle.ts';
import type { Store } from '../../datastore/store.ts';
import { backoffMs } from '../watch/backoff.ts';
import type { AddressSetting } from './address-setting.ts';
import { decideRegistration, type Registered, registrationRanges } from './decide-registration.ts';
import { decideTunnels, type Tunnels, tunnelRanges } from './decide-tunnels.ts';
import { detectAddress, type HostInterfaces, type LocalAddress } from './detect-address.ts';
import type { RegistrationSettings } from './registration-settings.ts';

export interface RegistrarPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: { readonly fraction: () => number; readonly uuid: () => string };
  readonly interruption: Interruption;
  readonly log: Log;
  readonly readInterfaces: () => HostInterfaces;
  readonly sourceAddress: (
    destination: string,
    family: IpFamily,
    deadline: Deadline,
  ) => Promise<IpAddress | undefined>;
  /** InternalIPs of the Node of Kubernetes; `undefined`: there is no API server to ask. */
  readonly internalAddresses: ((deadline: Deadline) => Promise<readonly IpAddress[]>) | undefined;
}

export interface Registrar {
  /**
   * Registers the host, again and again until it is done. Rejects with what waiting will not help: `conflict` when another
   * node has our address, `config`, `corrupt`, `denied`.
   */
  readonly begin: () => Promise<void>;
  /** Looks again whenever it is time, or asked for, until it is interrupted. */
  readonly keep: () => Promise<void>;
  /** Pools or our Node have changed. */
  readonly lookAgain: () => void;
}

const BUDGET_MS = 30_000;
/** Of the time that is left, for each family. */
const SHARE_OF_KUBERNETES = 3;
/** So that changes that come together are looked at together. */
const TOGETHER_MS = 200;
/** Warnings that are remembered. */
const MOST_TOLD = 1_000;

export function createRegistrar(
  nodeName: string,
  settings: RegistrationSettings,
  given: RegistrarPorts,
): Registrar {
  const ports = { ...given, log: warningOnce(given.log) };
  const { log, clock, random, interruption } = ports;
  const told = new Set<string>();
  let ring: () => void = () => undefined;
  let isAsked = false;
  /** In a row. */
  let failures = 0;

  /** Whether a tunnel lacks an address that it should have: what needs no tunnel works all the same. */
  async function once(): Promise<'done' | 'lacking'> {
    const deadline = deadlineIn(clock, BUDGET_MS, 'the registration', interruption);
    const { written, warnings, conflict } = await registerHost(nodeName, settings, ports, deadline);
    for (const what of written) log.info('registration: written', { what });
    warnOnce(warnings);
    if (conflict !== undefined) {
      const details = 'give each node an address of its own, or set DISABLE_NODE_IP_CHECK=true';
      throw new CalicoError('conflict', conflict, { details });
    }
    try {
      const tunnels = await reconcileTunnels(nodeName, ports, deadline);
      for (const what of tunnels.written) log.info('registration: tunnel address', { what });
      return 'done';
    } catch (error) {
      if (!isCalicoError(error, 'no-address') && !isCalicoError(error, 'config')) throw error;
      log.error('registration: no tunnel address', { error: error.message, details: error.details });
      return 'lacking';
    }
  }

  function warnOnce(warnings: readonly string[]): void {
    for (const warning of warnings) if (!told.has(warning)) log.warn(`registration: ${warning}`);
    told.clear();
    for (const warning of warnings) told.add(warning);
  }

  /** Until it is time, or somebody asks. */
  async function wait(ms: number): Promise<void> {
    const asked = new Promise<void>((resolve) => {
      ring = resolve;
      if (isAsked) resolve();
    });
    await Promise.race([pause(ports, ms), asked]);
    if (isAsked) await pause(ports, TOGETHER_MS);
    isAsked = false;
  }

  return {
    begin: async () => {
      for (; interruption.signal() === undefined; failures++) {
        try {
          failures = (await once()) === 'done' ? 0 : 1;
          return;
        } catch (error) {
          // No answer, or no address yet: time may heal it.
          if (!isCalicoError(error, 'unavailable')) throw error;
          const pauseMs = backoffMs(failures, random.fraction());
          const { message, details } = error;
          log.warn('registration: not yet', { error: message, details, milliseconds: Math.round(pauseMs) });
          await pause(ports, pauseMs);
        }
      }
    },
    keep: async () => {
      while (interruption.signal() === undefined) {
        await wait(failures === 0 ? settings.pollMs : Math.min(settings.pollMs, backoffMs(failures, 0.5)));
        if (interruption.signal() !== undefined) return;
        try {
          failures = (await once()) === 'done' ? 0 : failures + 1;
        } catch (error) {
          if (!(error instanceof CalicoError)) throw error;
          if (interruption.signal() !== undefined) return;
          failures += 1;
          log.error('registration: failed', { error: error.message, details: error.details });
        }
      }
    },
    lookAgain: () => {
      isAsked = true;
      ring();
    },
  };
}

/** What a decision finds wrong with the records, it finds again in every other one. */
function warningOnce(log: Log): Log {
  const told = new Set<string>();
  const warn: Log['warn'] = (message, fields) => {
    if (fields === undefined && told.has(message)) return;
    if (fields === undefined && told.size < MOST_TOLD) told.add(message);
    log.warn(message, fields);
  };
  return { ...log, warn };
}

/** Looks at the host and writes what is not written yet. */
export async function registerHost(
  nodeName: string,
  settings: RegistrationSettings,
  ports: RegistrarPorts,
  deadline: Deadline,
): Promise<Registered> {
  const { store, clock, random } = ports;
  const host = ports.readInterfaces();
  const find = (family: IpFamily) => detect(family, settings, host, ports, deadline);
  const [found4, found6] = [await find(4), await find(6)];
  const request = {
    ...{ nodeName, settings, host },
    detected: { 4: found4.local, 6: found6.local },
    uuid: random.uuid,
    now: formatRfc3339(clock.nowNs()),
  };
  const problems = [found4, found6].flatMap(({ problem }) => problem ?? []);
  const registered = await settle({
    ...{ store, deadline, clock, random: random.fraction },
    ranges: registrationRanges(nodeName),
    decide: (view) => decideRegistration(request, view),
  }).catch((error: unknown) => {
    throw isCalicoError(error, 'unavailable') ? withProblems(error, problems) : error;
  });
  return { ...registered, warnings: [...problems, ...registered.warnings] };
}

function withProblems(error: CalicoError, problems: readonly string[]): CalicoError {
  if (problems.length === 0) return error;
  const details = [...problems, ...(error.details === undefined ? [] : [error.details])].join('; ');
  return new CalicoError(error.kind, error.message, { details, cause: error });
}

/** Gives each tunnel that a pool asks for its address, and takes back those that none asks for. */
export function reconcileTunnels(
  nodeName: string,
  { store, clock, random, log }: Pick<RegistrarPorts, 'store' | 'clock' | 'random' | 'log'>,
  deadline: Deadline,
): Promise<Tunnels> {
  const request = { nodeName, nowNs: clock.nowNs(), warn: (text: string) => log.warn(text) };
  return settle({
    ...{ store, deadline, clock, random: random.fraction },
    ranges: tunnelRanges(nodeName),
    decide: (view) => decideTunnels(request, view),
  });
}

interface Detected {
  readonly local: LocalAddress | undefined;
  /** Why there is none, where somebody else was asked; an address that is recorded stays then. */
  readonly problem?: string;
}

async function detect(
  family: IpFamily,
  { addresses, methods }: RegistrationSettings,
  host: HostInterfaces,
  ports: RegistrarPorts,
  deadline: Deadline,
): Promise<Detected> {
  if (!isDetectionWanted(family, addresses[family])) return { local: undefined };
  const method = methods[family];
  switch (method.by) {
    case 'interface':
    case 'cidr':
      return { local: detectAddress(method, family, host, undefined) };
    case 'reach': {
      const source = await ports.sourceAddress(method.destination, family, deadline);
      return { local: detectAddress(method, family, host, source) };
    }
    case 'kubernetes':
      return detectInternal(family, host, ports, deadline);
  }
}

/** A part of the time, so that there is some left for the registration, with what is recorded. */
async function detectInternal(
  family: IpFamily,
  host: HostInterfaces,
  ports: RegistrarPorts,
  deadline: Deadline,
): Promise<Detected> {
  const asking = deadlineIn(
    ports.clock,
    deadline.remainingMs() / SHARE_OF_KUBERNETES,
    'the search for the InternalIP',
    deadline.interruption,
  );
  try {
    const internal = (await internalAddresses(ports, asking)).find((one) => one.family === family);
    const local = detectAddress({ by: 'kubernetes' }, family, host, internal);
    if (local !== undefined) return { local };
    const problem =
      internal === undefined
        ? `the Node of Kubernetes has no InternalIP of IPv${family}`
        : `the InternalIP ${formatIpAddress(internal)} of the Node of Kubernetes is on no interface of this host`;
    return { local, problem };
  } catch (error) {
    if (!(error instanceof CalicoError) || error.kind === 'config') throw error;
    return { local: undefined, problem: error.message };
  }
}

/** IPv6 is only looked for when that is asked for. */
function isDetectionWanted(family: IpFamily, { use }: AddressSetting): boolean {
  return use === 'detected' || (use === 'recorded' && family === 4);
}

function internalAddresses(
  { internalAddresses: ask }: RegistrarPorts,
  deadline: Deadline,
): Promise<readonly IpAddress[]> {
  if (ask !== undefined) return ask(deadline);
  throw new CalicoError('config', 'kubernetes-internal-ip needs an API server, and none is configured', {
    details:
      'set KUBECONFIG, as a pod KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, or choose another IP_AUTODETECTION_METHOD',
  });
}
