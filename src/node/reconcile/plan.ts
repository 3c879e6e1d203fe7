/**
 * The difference between what the kernel shall hold and what it holds, as steps in an order in which no packet is lost:
 *
 *     switches │ devices │ FDB │ neighbours │ routes put │ routes taken │ neighbours, FDB, addresses, devices taken
 *
 * At no point is there a route to a tunnel address without both of its entries. What has a place is replaced in it.
 * Nothing is taken away that is not ours: routes with our protocol number, and what is on our VXLAN devices. Pure.
 */

import type { DesiredHost } from '../desired/desired-host.ts';
import type { Finding } from '../finding.ts';
import type { HostStep } from './host-step.ts';
import type { ObservedHost } from './observed-host.ts';
import { type DevicePlan, planDevices } from './plan-devices.ts';
import { planLayer2 } from './plan-layer2.ts';
import { type PlanOptions, USUAL_OPTIONS } from './plan-options.ts';
import { planRoutes } from './plan-routes.ts';

export interface ChangePlan {
  readonly steps: readonly HostStep[];
  /** What is in the way of a step, which is then not among them. */
  readonly findings: readonly Finding[];
}

/** No steps when nothing differs, and none while the desired host is frozen or in doubt. */
export function planChanges(
  desired: DesiredHost,
  observed: ObservedHost,
  options: PlanOptions = USUAL_OPTIONS,
): ChangePlan {
  const isInDoubt = desired.doubt !== undefined && !options.isDoubtSettled;
  if (desired.frozen !== undefined || isInDoubt) return { steps: [], findings: [] };
  const devices = planDevices(desired, observed);
  const layer2 = planLayer2(desired, observed, devices);
  const routes = planRoutes(desired, observed, devices, options);
  return {
    steps: [
      ...planSysctls(desired, observed),
      ...devices.flatMap(({ first }) => first),
      ...layer2.first,
      ...routes.replacements,
      ...routes.deletions,
      ...layer2.last,
      ...devices.flatMap(({ last }) => last),
    ],
    findings: [...devices.flatMap(foreignLink), ...routes.findings],
  };
}

/** A switch that can be done without and is not there, because its module is not loaded, stays so. */
function planSysctls(desired: DesiredHost, observed: ObservedHost): readonly HostStep[] {
  return desired.sysctls
    .filter(({ key, value, onFailure }) => {
      const found = observed.sysctls.get(key);
      return found !== value && !(found === undefined && onFailure === 'warn');
    })
    .map((sysctl) => ({ do: 'write-sysctl', sysctl }));
}

function foreignLink({ name, isForeign }: DevicePlan): readonly Finding[] {
  if (!isForeign) return [];
  return [
    {
      kind: 'foreign-link',
      severity: 'error',
      subject: name,
      message:
        `there is an interface ${name} of another kind than the tunnel device that must have this name: it is left ` +
        'alone, and nothing is tunnelled. Rename or remove it.',
    },
  ];
}
