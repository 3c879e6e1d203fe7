/** `calico node status`: how this host reaches the others, as `calicoctl node status` tells it of BGP. */

import { Command } from 'commander';
import type { CommandWorld, ExitCode } from '../command-world.ts';
import { type Format, formatStructured, readFormat } from '../ipam/structured.ts';
import { readStatus } from './read-status.ts';
import { socketOf, socketOption } from './socket.ts';
import { statusText } from './status-text.ts';

interface StatusOptions {
  readonly socket?: string;
  readonly routes?: boolean;
  readonly output: Format;
}

export function statusCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  return new Command('status')
    .summary('how this host is: its peers, routes and problems')
    .description(
      'Asks the agent of this host. Ends with 1 when none runs, or when the host is not as the cluster wants it.',
    )
    .option('--routes', 'each route, instead of how many there are')
    .addOption(socketOption())
    .option('-o, --output <format>', 'table, json or yaml', readFormat, 'table')
    .action(async (options: StatusOptions) => {
      const status = await readStatus(socketOf(options, world.env));
      const nowMs = Number(world.clock.nowNs() / 1_000_000n);
      const text = () => statusText(status, { nowMs, showsRoutes: options.routes === true });
      await world.writeStdout(options.output === 'table' ? text() : formatStructured(status, options.output));
      if (!status.live.isWell || !status.ready.isWell) exit(1);
    });
}
