/** Removes what an installation has put on a host, and nothing else. */

import { join } from 'node:path';
import { applySteps } from '../install/apply-steps.ts';
import { describePlan } from '../install/describe-plan.ts';
import { doStep } from '../install/do-step.ts';
import type { InstallSettings } from '../install/install-settings.ts';
import { lockFolder } from '../install/lock-folder.ts';
import { exists, hasSameContent, observe, tryReadText } from '../install/observe-host.ts';
import { planInstall } from '../install/plan-install.ts';
import { planUninstall } from '../install/plan-uninstall.ts';
import { stepsOf } from '../install/steps.ts';
import type { CommandWorld } from './command-world.ts';
import { commandDeadline } from './datastore-options.ts';

export interface Uninstalled {
  /** One line for each file. */
  readonly removed: readonly string[];
  /** What is there still, and why. */
  readonly left: readonly string[];
}

const LOCK_MS = 60_000;

export async function uninstall(
  { places, confName }: InstallSettings,
  isDryRun: boolean,
  world: CommandWorld,
): Promise<Uninstalled> {
  const deadline = commandDeadline(world, LOCK_MS, 'the removal');
  using _lock = isDryRun ? undefined : await lockFolder(places.netFolder, world.clock, deadline);
  const executables = places.binFolders
    .flatMap((folder) => [join(folder, 'calico'), join(folder, 'calico-ipam')])
    .filter(exists);
  const isOwn = (path: string) => hasSameContent(world.executable, path);
  const { removed, left } = planUninstall({
    places,
    confName,
    conf: tryReadText(join(places.netFolder, confName)),
    ownExecutables: executables.filter(isOwn),
    foreignExecutables: executables.filter((path) => !isOwn(path)),
  });
  const plan = planInstall({
    wanted: removed,
    found: removed.map(observe),
    leftovers: [],
    replacesExecutables: true,
  });
  if (!isDryRun) applySteps(stepsOf(plan), doStep);
  return { removed: describePlan(plan), left };
}
