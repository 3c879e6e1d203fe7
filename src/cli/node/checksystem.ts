/** `calico node checksystem`: whether this host can do what the agent and the plugin ask of it, as calicoctl has it. */

import { Command } from 'commander';
import { unknownCluster } from '../../node/cluster.ts';
import { felixEnvironment } from '../../node/felix-environment.ts';
import { felixSettings } from '../../node/felix-settings.ts';
import type { CommandWorld, ExitCode } from '../command-world.ts';
import { type Format, formatStructured, readFormat } from '../ipam/structured.ts';
import { checkSystem, type SystemCheck } from './system/check-system.ts';
import { observeSystem } from './system/observe-system.ts';

export function checksystemCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  return new Command('checksystem')
    .summary('whether this host can do what the agent asks of it')
    .description(
      'Looks at this host, as root, before an agent is started or when something does not work. What the kernel can do is tried in a network namespace of its own; nothing is changed, but kernel modules may be loaded. Ends with 1 when something is missing that no pod can do without.',
    )
    .option('-o, --output <format>', 'table, json or yaml', readFormat, 'table')
    .action(async ({ output }: { readonly output: Format }) => {
      const { settings } = felixSettings(unknownCluster('', felixEnvironment(world.env)));
      const checks = checkSystem(await observeSystem(settings));
      await world.writeStdout(output === 'table' ? checksText(checks) : formatStructured(checks, output));
      if (checks.some(({ verdict }) => verdict === 'failed')) exit(1);
    });
}

/** A line for each, and one below with what to do. */
export function checksText(checks: readonly SystemCheck[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, verdict, found, advice }) => {
      const line = `${verdict.padEnd('warning'.length)}  ${name.padEnd(width)}  ${found}\n`;
      return advice === undefined ? line : `${line}${' '.repeat(width + 11)}${advice}\n`;
    })
    .join('');
}
