/**
 * `make demo`: one node, two pods, and everything that happens to them, shown step by step.
 * It runs in namespaces of its own (build/isolated.sh), so what it makes cannot outlive it.
 */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countTaken, drawBlock } from '../src/cli/ipam/block-map.ts';
import { decodeBlock } from '../src/datastore/codecs/block.ts';
import type { AllocationBlock } from '../src/ipam/allocation-block.ts';
import { type CnitoolCommand, cnitool } from '../test/support/cnitool.ts';
import { executable } from '../test/support/executable.ts';
import { output, run } from '../test/support/run.ts';
import { startDatastore, type TestDatastore } from '../test/support/test-datastore.ts';
import { openPage } from './page.ts';

const NODE_NAME = 'node1';
const NETWORK = 'calico';
const PODS = ['blue', 'green'] as const;
type Pod = (typeof PODS)[number];
const BLOCKS = '/calico/ipam/v2/assignment/';

const page = openPage(process.stdout);
const confFolder = mkdtempSync(join(tmpdir(), 'demo-'));

await using resources = new AsyncDisposableStack();
const isOnEtcd = process.env.DATASTORE === 'etcd';
const datastore = await startDatastore(isOnEtcd ? 'etcd' : 'the embedded store');
resources.defer(() => datastore.stop());

await showCluster(datastore);
const addresses = { blue: await showAdd('blue'), green: await showAdd('green') };
await showPod('blue');
await showHost();
await showDatastore(datastore, 2);
await showPings(addresses);
await showDel();
await showNothingLeft(datastore);

process.exitCode = page.end() === 0 ? 0 : 1;

async function showCluster(datastore: TestDatastore): Promise<void> {
  page.part(
    `A cluster: ${isOnEtcd ? 'one etcd' : 'a datastore in one file'}, one node, one pool of addresses`,
  );
  page.say('All of this happens in a network namespace of its own: your machine’s network is not touched.');
  const flags = ['bootstrap', '--pool', '192.168.0.0/16', '--node', NODE_NAME, ...datastore.flags];
  page.command(`calico ${flags.join(' ')}`);
  page.show(await output([executable('calico'), ...flags]));
  const conflist = {
    name: NETWORK,
    cniVersion: '1.0.0',
    plugins: [
      {
        type: 'calico',
        ...datastore.conf,
        nodename: NODE_NAME,
        nodename_file_optional: true,
        log_level: 'error',
        ipam: { type: 'calico-ipam' },
      },
    ],
  };
  writeFileSync(join(confFolder, '10-calico.conflist'), JSON.stringify(conflist, null, 2));
  page.say('In the datastore, as in any Calico cluster:');
  page.show([...(await datastore.list('/calico/')).keys()].join('\n'));
  page.say('The network configuration, 10-calico.conflist:');
  page.show(JSON.stringify(conflist.plugins, null, 2));
}

/** Gives the pod's IPv4 address. */
async function showAdd(pod: Pod): Promise<string> {
  page.part(`A network for the pod ${pod}`);
  await show('ip', 'netns', 'add', pod);
  const { stdout, elapsedMs } = await callCnitool('add', pod);
  page.show(stdout);
  const address = /"address": "([0-9.]+)\/32"/.exec(stdout)?.[1];
  page.check(address !== undefined, `${pod} has the address ${address} after ${Math.round(elapsedMs)} ms`);
  return address ?? '';
}

async function showPod(pod: Pod): Promise<void> {
  page.part(`Inside ${pod}`);
  await show('ip', '-n', pod, 'address', 'show', 'dev', 'eth0');
  await show('ip', '-n', pod, 'route');
  await show('ip', '-n', pod, 'neighbour');
}

async function showHost(): Promise<void> {
  page.part('On the host: one interface and one route for each pod');
  await show('ip', '-brief', 'link');
  await show('ip', 'route');
}

async function showDatastore(datastore: TestDatastore, expected: number): Promise<void> {
  page.part('In the datastore: the block of addresses, a letter for each owner');
  const blocks = await storedBlocks(datastore);
  for (const block of blocks) page.show(drawBlock(block, { colours: false }));
  const taken = blocks.map(countTaken).reduce((sum, count) => sum + count, 0);
  page.check(taken === expected, `${taken} addresses are taken`);
  for (const [, endpoint] of await datastore.list(endpointsPrefix())) {
    const { metadata, spec } = JSON.parse(endpoint);
    page.say(`Workload endpoint ${metadata.name}:`);
    page.show(`${spec.ipNetworks}  ${spec.interfaceName}  ${spec.mac}  profiles: ${spec.profiles}`);
  }
}

async function showPings(addresses: Readonly<Record<Pod, string>>): Promise<void> {
  page.part('Packets');
  await output(['ip', 'address', 'add', '10.0.0.1/32', 'dev', 'lo']);
  await showPing('blue', addresses.green, 'blue reaches green');
  await showPing('green', addresses.blue, 'green reaches blue');
  await showPing('blue', '10.0.0.1', 'blue reaches the host');
}

async function showPing(from: Pod, to: string, fact: string): Promise<void> {
  const line = ['ip', 'netns', 'exec', from, 'ping', '-c', '2', '-i', '0.2', '-W', '2', to];
  page.command(line.join(' '));
  const { stdout, exitCode } = await run(line);
  page.show(
    stdout
      .split('\n')
      .filter((text) => /bytes from|packets/.test(text))
      .join('\n'),
  );
  page.check(exitCode === 0, fact);
}

async function showDel(): Promise<void> {
  page.part('The pods go away');
  page.say('The kernel takes some 20 ms to delete a pair of interfaces.');
  for (const pod of PODS) {
    const { elapsedMs, exitCode } = await callCnitool('del', pod);
    page.check(exitCode === 0, `${pod} is disconnected after ${Math.round(elapsedMs)} ms`);
    await show('ip', 'netns', 'del', pod);
  }
}

async function showNothingLeft(datastore: TestDatastore): Promise<void> {
  page.part('What is left');
  const links = await output(['ip', '-brief', 'link']);
  const routes = await output(['ip', 'route']);
  page.check(!links.includes('cali'), 'no interface');
  page.check(!routes.includes('cali'), 'no route');
  page.check((await datastore.list(endpointsPrefix())).size === 0, 'no workload endpoint');
  page.check((await datastore.list('/calico/ipam/v2/handle/')).size === 0, 'no handle');
  const blocks = await storedBlocks(datastore);
  page.check(
    blocks.every((block) => countTaken(block) === 0),
    'no address taken; the block stays with its node:',
  );
  for (const block of blocks) page.show(drawBlock(block, { colours: false }));
}

async function storedBlocks(datastore: TestDatastore): Promise<readonly AllocationBlock[]> {
  return [...(await datastore.list(BLOCKS))].map(([key, value]) => decodeBlock(value, key));
}

function endpointsPrefix(): string {
  return '/calico/resources/v3/projectcalico.org/workloadendpoints/';
}

async function callCnitool(command: CnitoolCommand, pod: Pod) {
  const netnsPath = `/var/run/netns/${pod}`;
  page.command(`cnitool ${command} ${NETWORK} ${netnsPath}`);
  const finished = await cnitool(command, { confFolder, network: NETWORK, netnsPath });
  if (finished.exitCode !== 0) page.show(`${finished.stderr}${finished.stdout}`);
  return finished;
}

/** Shows a command and what it prints. */
async function show(...argv: readonly string[]): Promise<void> {
  page.command(argv.join(' '));
  page.show(await output(argv));
}
