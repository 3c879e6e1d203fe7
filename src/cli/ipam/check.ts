/** `calico ipam check`: everything that is wrong with the records of IPAM, and with what uses them. */

import { Command } from 'commander';
import { CalicoError } from '../../base/calico-error.ts';
import { writePrivateFile } from '../../base/private-file.ts';
import { formatRfc3339, NS_PER_SECOND } from '../../base/time.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import type { CommandWorld, ExitCode } from '../command-world.ts';
import {
  commandDeadline,
  type DatastoreOptions,
  usingDatastore,
  withDatastoreOptions,
} from '../datastore-options.ts';
import { auditCluster } from './audit-cluster.ts';
import { formatFindings } from './findings-text.ts';
import { findInKernel, thisNode } from './kernel-findings.ts';
import { findInKubernetes, openPods } from './pod-findings.ts';
import { showProgress } from './progress.ts';
import { type CheckReport, reportData } from './report.ts';
import { type Format, formatStructured, readFormat } from './structured.ts';

/** A cluster of any size; each request has a limit of its own. */
const BUDGET_MS = 600_000;
/** A pod's ADD takes no longer: kubelet gives up after four minutes. */
const GRACE_SECONDS = 300;

interface CheckOptions extends DatastoreOptions {
  readonly report?: string;
  readonly output: Format;
  readonly grace: number;
  readonly withKernel?: boolean;
  readonly node?: string;
  readonly kubernetes?: boolean;
  readonly kubeconfig?: string;
}

export function checkCommand(world: CommandWorld, exit: (code: ExitCode) => void): Command {
  const command = new Command('check')
    .summary('find what is wrong with the records')
    .description(
      'Reads all records of the datastore as they are at one moment, changes nothing, and names the key of whatever is wrong. Ends with 0 only when nothing is.',
    )
    .option('--report <file>', 'write all of it to this file, for ipam release --from-report')
    .option('-o, --output <format>', 'table (for people), json or yaml', readFormat, 'table')
    .option(
      '--grace <seconds>',
      'addresses younger than this may lack their endpoint: their ADD may be running',
      readSeconds,
      GRACE_SECONDS,
    )
    .option('--with-kernel', "compare with this node's interfaces and routes as well")
    .option('--node <name>', 'name of this node (default: what /var/lib/calico/nodename says)')
    .option('--kubernetes', 'compare with the pods of Kubernetes as well')
    .option('--kubeconfig <file>', 'how Kubernetes is reached (default: KUBECONFIG)');
  return withDatastoreOptions(command).action(async (options: CheckOptions) => {
    const report = await check(options, world);
    if (options.report !== undefined)
      writePrivateFile(options.report, formatStructured(reportData(report), 'json'), String(world.pid));
    await world.writeStdout(
      options.output === 'table'
        ? formatFindings(report)
        : formatStructured(reportData(report), options.output),
    );
    exit(report.findings.length === 0 ? 0 : 1);
  });
}

async function check(options: CheckOptions, world: CommandWorld): Promise<CheckReport> {
  const node = options.withKernel ? thisNode(options.node) : undefined;
  const deadline = commandDeadline(world, BUDGET_MS, 'ipam check');
  // Before the records: a pod that is listed and gone by then was deleted, one that comes later is asked for by name.
  using pods = options.kubernetes ? await openPods(options.kubeconfig, world, deadline) : undefined;
  const seen = new Map<string, WorkloadEndpoint>();
  const onEndpoint = (key: string, endpoint: WorkloadEndpoint) => {
    if (endpoint.nodeName === node || pods?.isMissing(endpoint) === true) seen.set(key, endpoint);
  };
  const nowNs = world.clock.nowNs();
  const { findings, revision, counts } = await usingDatastore(options, world, (store) => {
    const graceNs = BigInt(options.grace) * NS_PER_SECOND;
    const reading = { store, deadline, progress: showProgress(world) };
    return auditCluster(reading, { nowNs, graceNs, onEndpoint });
  });
  const endpoints = Array.from(seen, ([key, endpoint]) => ({ key, endpoint }));
  const ofKernel = node === undefined ? [] : findInKernel(node, endpoints, world.env);
  const ofKubernetes = pods === undefined ? [] : await findInKubernetes(pods, endpoints);
  const all = [...findings, ...ofKernel, ...ofKubernetes];
  return { madeAt: formatRfc3339(nowNs), revision, counts, findings: all };
}

function readSeconds(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new CalicoError('config', `invalid --grace ${JSON.stringify(text)}: it must be a number of seconds`);
}
