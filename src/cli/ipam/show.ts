/** `calico ipam show`: what is used of the pools, and by whom. */

import { Command } from 'commander';
import { CalicoError } from '../../base/calico-error.ts';
import { parseCidr } from '../../base/cidr.ts';
import { parseIpAddress } from '../../base/ip-address.ts';
import { decodeBlock } from '../../datastore/codecs/block.ts';
import { decodeIpamSettings } from '../../datastore/codecs/ipam-settings.ts';
import { blockKey, IPAM_CONFIG_KEY } from '../../datastore/keys.ts';
import type { CommandWorld } from '../command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from '../datastore-options.ts';
import { drawBlock } from './block-map.ts';
import { type BorrowedAddress, borrowedAddresses, borrowedTable } from './borrowed.ts';
import { configurationTable, settingsOf } from './configuration.ts';
import { showProgress } from './progress.ts';
import { againOnConflict, type ClusterReading, readRecords } from './read-cluster.ts';
import { readUsage } from './read-usage.ts';
import { type Format, formatStructured, readFormat } from './structured.ts';
import { usageTable } from './usage.ts';
import { addressData, describeAddress, findHolder } from './whose-address.ts';

/** A cluster of any size; each request has a limit of its own. */
const BUDGET_MS = 600_000;

interface ShowOptions extends DatastoreOptions {
  readonly ip?: string;
  readonly block?: string;
  readonly showBlocks?: boolean;
  readonly blocks?: boolean;
  readonly showBorrowed?: boolean;
  readonly showConfiguration?: boolean;
  readonly output: Format;
}

/** What is shown, for people and for programs. */
interface Shown {
  readonly text: string;
  readonly data: unknown;
}

export function showCommand(world: CommandWorld): Command {
  const command = new Command('show')
    .summary('what is used of the pools, and by whom')
    .description('Shows how much of each pool is used; with an option, more closely what is behind it.')
    .option('--show-blocks', 'also each block')
    .option('--blocks', 'the same')
    .option('--ip <address>', 'who has this address')
    .option('--block <cidr>', 'a map of this block: a cell for each address, a letter for each owner')
    .option('--show-borrowed', "addresses in use on another node than their block's")
    .option('--show-configuration', 'the rules by which addresses are assigned')
    .option('-o, --output <format>', 'table, json or yaml', readFormat, 'table');
  return withDatastoreOptions(command).action((options: ShowOptions) =>
    usingDatastore(options, world, async (store) => {
      const deadline = commandDeadline(world, BUDGET_MS, 'ipam show');
      const { text, data } = await show(options, world, { store, deadline, progress: showProgress(world) });
      await world.writeStdout(options.output === 'table' ? text : formatStructured(data, options.output));
    }),
  );
}

function show(options: ShowOptions, world: CommandWorld, reading: ClusterReading): Promise<Shown> {
  if (options.ip !== undefined) return showAddress(options.ip, reading);
  if (options.block !== undefined) return showBlock(options.block, world, reading);
  if (options.showBorrowed) return showBorrowed(reading);
  if (options.showConfiguration) return showConfiguration(reading);
  return showUsage(options.showBlocks === true || options.blocks === true, world, reading);
}

async function showUsage(withBlocks: boolean, world: CommandWorld, reading: ClusterReading): Promise<Shown> {
  const { usage, warnings } = await readUsage(reading);
  for (const warning of warnings) await world.writeStderr(`Warning: ${warning}\n`);
  const pools = usage.pools.map(({ blocks, ...pool }) => (withBlocks ? { ...pool, blocks } : pool));
  const data = { pools, ...(withBlocks ? { blocksInNoPool: usage.orphans } : {}) };
  return { text: usageTable(usage, withBlocks), data };
}

async function showAddress(text: string, { store, deadline }: ClusterReading): Promise<Shown> {
  const address = parseIpAddress(text);
  const holder = await findHolder(store, address, deadline);
  return { text: describeAddress(address, holder), data: addressData(address, holder) };
}

async function showBlock(
  text: string,
  { terminal }: CommandWorld,
  { store, deadline }: ClusterReading,
): Promise<Shown> {
  const key = blockKey(parseCidr(text));
  const entry = (await store.read([{ key }], deadline)).entries[0]?.[0];
  if (entry === undefined) {
    throw new CalicoError('not-found', `there is no block ${text}`, {
      details: 'calico ipam show --show-blocks lists those there are',
    });
  }
  const block = decodeBlock(entry.value, key);
  return { text: `${drawBlock(block, { colours: terminal.isTerminal })}\n`, data: JSON.parse(entry.value) };
}

async function showBorrowed(reading: ClusterReading): Promise<Shown> {
  const found = await againOnConflict(async () => {
    const borrowed: BorrowedAddress[] = [];
    await readRecords(reading, ['block'], (_key, record) => {
      if (record.record === 'block') borrowed.push(...borrowedAddresses(record.block));
    });
    return borrowed;
  });
  return { text: borrowedTable(found), data: found };
}

async function showConfiguration({ store, deadline }: ClusterReading): Promise<Shown> {
  const entry = (await store.read([{ key: IPAM_CONFIG_KEY }], deadline)).entries[0]?.[0];
  const config = decodeIpamSettings(entry?.value, IPAM_CONFIG_KEY);
  return { text: configurationTable(config), data: settingsOf(config) };
}
