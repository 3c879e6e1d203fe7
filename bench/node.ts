/**
 * `make bench-node`: how soon agents have the routes of a change, what a large cluster costs one, and how long damage
 * lasts. The agents are the whole executable, on hosts that are network namespaces, with a real etcd.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { type AgentLab, makeAgentLab } from '../test/support/agent-lab.ts';
import { writePool } from '../test/support/cluster.ts';
import { REPOSITORY } from '../test/support/tools.ts';
import { PEER_POOL, peerRecords } from './node/large-cluster.ts';
import { drawConvergence } from './node/picture.ts';
import { measureRepairs, type RepairResult } from './node/repairs.ts';
import { type NodeResults, nodeReport } from './node/report.ts';
import { firstHost, measureSize, requireEqual, type SizeResult } from './node/sizes.ts';
import { measureSpread, type SpreadResult } from './node/three-hosts.ts';

const SIZES = [10, 30, 100, 300, 1000];
const RESULTS = join(REPOSITORY, 'dist/bench-node.json');
const PICTURE = join(REPOSITORY, 'dist/convergence.svg');
const loadBefore = loadavg()[0];

const spread = await onThreeHosts();
const results: NodeResults = { spread, ...(await onOneHost()) };
mkdirSync(join(REPOSITORY, 'dist'), { recursive: true });
process.stdout.write(`${machine()}\n\n${nodeReport(results)}\n`);
writeFileSync(RESULTS, JSON.stringify({ at: new Date(), ...results }, null, 2));
writeFileSync(PICTURE, drawConvergence(`The node agent (${machine()})`, results.sizes));
process.stdout.write(`\nAll samples: ${RESULTS}\nThe sizes as a picture: ${PICTURE}\n`);

async function onThreeHosts(): Promise<SpreadResult> {
  await using lab = await makeAgentLab();
  await writePools(lab, 30);
  await lab.etcd.putAll(peerRecords(0, 1));
  await lab.startAgents();
  return await measureSpread(lab);
}

async function onOneHost(): Promise<{
  readonly sizes: readonly SizeResult[];
  readonly repairs: readonly RepairResult[];
}> {
  await using lab = await makeAgentLab({ subnets: [50], env: { IP: 'autodetect' } });
  const host = firstHost(lab);
  await writePools(lab, 26);
  // Every second peer is in this subnet, which is a larger one here.
  host.sh(
    'ip addr del 10.50.0.11/24 dev eth0; ip addr add 10.50.0.11/16 dev eth0; ip route add default via 10.50.0.1',
  );
  const sizes: SizeResult[] = [];
  for (const nodes of SIZES) {
    process.stderr.write(`${nodes} nodes …\n`);
    sizes.push(await measureSize(lab, sizes.at(-1)?.nodes ?? 0, nodes));
  }
  const repairs = await measureRepairs(host);
  await requireEqual(lab.etcd, host);
  return { sizes, repairs };
}

/** The hosts take their blocks from a pool of their own, lest they take those of peers that come later. */
async function writePools({ etcd }: AgentLab, blockSize: number): Promise<void> {
  await writePool(etcd, 'own', '10.129.0.0/16', { vxlanMode: 'CrossSubnet', blockSize });
  await writePool(etcd, 'peers', PEER_POOL, { vxlanMode: 'CrossSubnet', disabled: true });
}

function machine(): string {
  const { length: cores, 0: cpu } = cpus();
  return `${cores} × ${cpu?.model}, load ${loadBefore?.toFixed(1)} before`;
}
