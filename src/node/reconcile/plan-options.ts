/** What a plan may do beside keeping what is ours. Pure. */

import { BIRD_PROTOCOL, FELIX_PROTOCOL, type HostRoute, ROUTE_PROTOCOL } from '../host-route.ts';

export interface PlanOptions {
  /** Routes with these protocol numbers are removed when they are not wanted. */
  readonly owned: readonly number[];
  /** Routes with these are left in peace, unless ours belongs in their very place. */
  readonly adoptable: readonly number[];
  /** Routes to pods here to make again, see `lost-pod-routes.ts`. */
  readonly lostPodRoutes: readonly HostRoute[];
  /** Go on although the datastore holds suspiciously little: it was read twice. */
  readonly isDoubtSettled: boolean;
}

/**
 * On a host that was Felix's, its routes give way to ours one by one. To take them over altogether, once, is asked for
 * with {@link FELIX_PROTOCOL} among `owned`.
 */
export const USUAL_OPTIONS: PlanOptions = {
  owned: [ROUTE_PROTOCOL],
  adoptable: [FELIX_PROTOCOL],
  lostPodRoutes: [],
  isDoubtSettled: false,
};

/** Routes stay when BIRD ends; where it does not run any more, those that it left give way to ours as well. */
export function optionsBeside(isBirdRunning: boolean): PlanOptions {
  return isBirdRunning ? USUAL_OPTIONS : WITHOUT_BIRD;
}

const WITHOUT_BIRD: PlanOptions = { ...USUAL_OPTIONS, adoptable: [FELIX_PROTOCOL, BIRD_PROTOCOL] };
