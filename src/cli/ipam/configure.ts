/** `calico ipam configure`: changes the rules by which addresses are assigned. */

import { Command } from 'commander';
import { CalicoError } from '../../base/calico-error.ts';
import { ABSENT } from '../../base/revision.ts';
import { decodeIpamSettings, encodeIpamSettings } from '../../datastore/codecs/ipam-settings.ts';
import { IPAM_CONFIG_KEY } from '../../datastore/keys.ts';
import { type Decision, settle } from '../../datastore/settle.ts';
import { entryAt, type View } from '../../datastore/view.ts';
import type { CommandWorld } from '../command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from '../datastore-options.ts';
import { changeSettings, describeChanges, type WantedSettings } from './configuration.ts';

const BUDGET_MS = 15_000;

interface ConfigureOptions extends DatastoreOptions, WantedSettings {}

export function configureCommand(world: CommandWorld): Command {
  const command = new Command('configure')
    .summary('change the rules by which addresses are assigned')
    .description('Changes rules for all nodes, from the next pod on, and tells what has changed.')
    .option('--strict-affinity <bool>', 'whether a node uses addresses of its own blocks only', readBoolean)
    .option('--max-blocks-per-host <n>', 'how many blocks a node may have; 0: no rule', readCount)
    .option(
      '--auto-allocate-blocks <bool>',
      'whether a node takes a new block when its own are full',
      readBoolean,
    );
  return withDatastoreOptions(command).action(async (options: ConfigureOptions) => {
    const changes = await configure(options, world);
    const lines = changes.length === 0 ? ['nothing changed'] : changes;
    await world.writeStdout(lines.map((line) => `${line}\n`).join(''));
  });
}

/** Throws `config` when nothing is asked for, or what excludes each other. */
function configure(options: ConfigureOptions, world: CommandWorld): Promise<readonly string[]> {
  const { strictAffinity, autoAllocateBlocks, maxBlocksPerHost } = options;
  const wanted = { strictAffinity, autoAllocateBlocks, maxBlocksPerHost };
  if (Object.values(wanted).every((value) => value === undefined)) {
    throw new CalicoError('config', 'nothing to configure', {
      details:
        'calico ipam show --show-configuration shows the rules there are, calico ipam configure --help the options',
    });
  }
  return usingDatastore(options, world, (store) =>
    settle({
      store,
      ranges: [{ key: IPAM_CONFIG_KEY }],
      decide: (view) => decideConfiguration(wanted, view),
      deadline: commandDeadline(world, BUDGET_MS, 'ipam configure'),
      clock: world.clock,
      random: world.random.fraction,
    }),
  );
}

export function decideConfiguration(wanted: WantedSettings, view: View): Decision<readonly string[]> {
  const entry = entryAt(view, IPAM_CONFIG_KEY);
  const before = decodeIpamSettings(entry?.value, IPAM_CONFIG_KEY);
  const after = changeSettings(before, wanted);
  const changes = describeChanges(before, after);
  if (changes.length === 0) return { step: 'done', outcome: changes };
  return {
    step: 'commit',
    outcome: changes,
    transaction: {
      expect: [{ key: IPAM_CONFIG_KEY, revision: entry?.revision ?? ABSENT }],
      write: [{ type: 'put', key: IPAM_CONFIG_KEY, value: encodeIpamSettings(after) }],
    },
  };
}

function readBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new CalicoError('config', `invalid value ${JSON.stringify(text)}: it must be true or false`);
}

function readCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CalicoError('config', `invalid value ${JSON.stringify(text)}: it must be a number, 0 or more`);
}
