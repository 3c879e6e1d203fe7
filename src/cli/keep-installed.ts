/** Stays, and installs again whenever what it was made from has changed, or the plugin's token is to be renewed. */

import { errorText, isCalicoError } from '../base/calico-error.ts';
import { pause } from '../base/pause.ts';
import { sha1Hex } from '../base/sha1.ts';
import type { InstallSettings } from '../install/install-settings.ts';
import { readPodAccount, readTemplate, readTls } from '../install/read-inputs.ts';
import type { CommandWorld } from './command-world.ts';
import { type Installed, installOnce } from './install-once.ts';

/** kubelet brings a changed secret to its pods within a minute or so. */
const LOOK_EVERY_MS = 5_000;

/** Of the token's life, the part after which there is a new one: as calico-node does. */
const RENEWED_AFTER = 4n;

/**
 * Returns when it is told to end. `tell`: gets one line. What fails is told, and tried again. `madeFrom`: the
 * {@link fingerprint} from before the first installation, since what changes during one may not be in it.
 */
export async function keepInstalled(
  settings: InstallSettings,
  first: Installed,
  madeFrom: string,
  world: CommandWorld,
  tell: (line: string) => Promise<void>,
): Promise<void> {
  let seen = madeFrom;
  let renewNs = renewalNs(first, world);
  let failure: string | undefined;
  for (;;) {
    await pause(world, LOOK_EVERY_MS);
    if (world.interruption.signal() !== undefined) return;
    const now = fingerprint(settings);
    const renewsToken = renewNs !== undefined && world.clock.nowNs() >= renewNs;
    if (now === seen && !renewsToken && failure === undefined) continue;
    try {
      const done = await installOnce({ settings, isDryRun: false, renewsToken }, world);
      for (const line of done.changes) await tell(line);
      [seen, renewNs, failure] = [now, renewalNs(done, world), undefined];
    } catch (error) {
      const told = describe(error);
      if (told !== failure) await tell(`cannot install what has changed; trying again: ${told}`);
      failure = told;
    }
  }
}

function renewalNs({ expiresNs }: Installed, { clock, random }: CommandWorld): bigint | undefined {
  if (expiresNs === undefined) return undefined;
  const now = clock.nowNs();
  const part = (expiresNs - now) / RENEWED_AFTER;
  // All nodes of a cluster start at the same time, and must not ask at the same time for ever.
  return now + part + BigInt(Math.round(Number(part) * random.fraction()));
}

/** Of everything that can change under a process: secrets and templates are volumes. */
export function fingerprint({ tlsFolder, template }: InstallSettings): string {
  try {
    const tls = readTls(tlsFolder).files.map(({ name, text }) => `${name} ${text.reveal()}`);
    const account = readPodAccount()?.certificateAuthority ?? '';
    return sha1Hex([...tls, account, readTemplate(template).text].join('\n'));
  } catch (error) {
    return errorText(error);
  }
}

function describe(error: unknown): string {
  const details = isCalicoError(error) && error.details ? `: ${error.details}` : '';
  return errorText(error) + details;
}
