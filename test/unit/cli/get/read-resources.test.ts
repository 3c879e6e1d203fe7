import { describe, expect, it } from 'vitest';
import { formatYaml } from '../../../../src/cli/format-resource.ts';
import { type ColumnChoice, headingsOf, rowOf } from '../../../../src/cli/get/columns.ts';
import { presentList } from '../../../../src/cli/get/present-resource.ts';
import { listResources, readAsNumber, readResource } from '../../../../src/cli/get/read-resources.ts';
import { parseKind } from '../../../../src/cli/resource-kinds.ts';
import { formatPlainTable } from '../../../../src/cli/table.ts';
import { CLUSTER_OF_ONE_POD, calicoctlOutput, withoutVersions } from '../../../support/calicoctl-output.ts';
import { endlessDeadline } from '../../../support/cut-line.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';

function reader(more: Readonly<Record<string, string>> = {}) {
  const warnings: string[] = [];
  const store = createMemoryStore(new Map([...CLUSTER_OF_ONE_POD, ...Object.entries(more)]));
  const warn = (text: string) => void warnings.push(text);
  return { warnings, store, warn, deadline: endlessDeadline() };
}

async function table(name: string, choice: ColumnChoice = {}, more = {}): Promise<string> {
  const read = reader(more);
  const kind = parseKind(name);
  const headings = headingsOf(kind.kind, choice);
  const { items } = await listResources({ kind, namespace: undefined }, read);
  const context = { asNumber: await readAsNumber(read) };
  return formatPlainTable(
    headings,
    items.map((item) => rowOf(kind.kind, headings, item, context)),
  );
}

describe('tables', () => {
  it.each([
    ['get-workloadendpoints', 'workloadendpoints', {}],
    ['get-workloadendpoints--o-wide', 'WEP', { isWide: true }],
    ['get-ippools--o-wide', 'pool', { isWide: true }],
    ['get-nodes--o-wide', 'no', { isWide: true }],
    ['get-profiles', 'pros', {}],
  ])('%s are those of calicoctl', async (fixture, kind, choice) => {
    expect(await table(kind, choice)).toBe(calicoctlOutput(fixture));
  });

  it('begin with the namespace where it was asked for, and where there is one', async () => {
    expect(await table('wep', { showsNamespace: true })).toMatch(/^NAMESPACE +WORKLOAD .*\ndefault +web-1 /);
    expect(await table('pools', { showsNamespace: true })).toMatch(/^NAME +CIDR +SELECTOR/);
  });

  it('show the columns that were asked for, and name those there are', async () => {
    expect(await table('ippool', { only: ['CIDR', 'NAT'] })).toBe(
      'CIDR             NAT    \n192.168.0.0/16   true   \n\n',
    );
    await expect(table('ippool', { only: ['NATS'] })).rejects.toThrow(
      /^Unknown heading NATS, valid values are: NAME, CIDR, NAT/,
    );
  });

  it.each([
    ['an AS number of the cluster', { asNumber: 65001 }, '(65001)'],
    ['none', {}, '(64512)'],
  ])('of nodes know %s', async (_what, spec, shown) => {
    const more = { [`${RESOURCES}/bgpconfigurations/default`]: JSON.stringify({ spec }) };
    expect(await table('nodes', { isWide: true }, more)).toContain(` ${shown} `);
  });

  it('show NATs as Go prints them, and cut what is long', async () => {
    const endpoint = { spec: { ipNATs: [{ internalIP: '10.0.0.1', externalIP: '1.2.3.4' }], workload: 'w' } };
    const more = {
      [`${RESOURCES}/workloadendpoints/x/a`]: JSON.stringify(endpoint),
      [`${RESOURCES}/ipreservations/r`]: JSON.stringify({
        metadata: { name: 'r' },
        spec: { reservedCIDRs: Array.from({ length: 20 }, (_, index) => `10.0.0.${index}`) },
      }),
    };
    expect(await table('wep', { only: ['WORKLOAD', 'NATS'] }, more)).toContain(
      'w          {10.0.0.1 1.2.3.4}   ',
    );
    const [, row = ''] = (await table('reservations', { isWide: true }, more)).split('\n');
    expect(row.trim()).toMatch(/^r +10\.0\.0\.0,.*\.\.\.$/);
    expect(row.trim().replace(/^r +/, '')).toHaveLength(80);
  });
});

describe('listResources()', () => {
  it('gives what calicoctl prints as YAML', async () => {
    const kind = parseKind('workloadendpoint');
    const { items, revision } = await listResources({ kind, namespace: 'default' }, reader());
    expect(withoutVersions(formatYaml(presentList(kind.kind, items, revision)))).toBe(
      withoutVersions(calicoctlOutput('get-workloadendpoint--o-yaml')),
    );
  });

  it('leaves out other namespaces, also those that begin alike', async () => {
    const more = { [`${RESOURCES}/workloadendpoints/default-2/a`]: '{}' };
    const { items } = await listResources({ kind: parseKind('wep'), namespace: 'default' }, reader(more));
    expect(items).toHaveLength(1);
  });

  it('reads as many as there are', async () => {
    const more = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${RESOURCES}/nodes/x${index}`, '{}']),
    );
    expect(
      (await listResources({ kind: parseKind('nodes'), namespace: undefined }, reader(more))).items,
    ).toHaveLength(1001);
  });

  it('leaves out what cannot be understood, and says so', async () => {
    const read = reader({ [`${RESOURCES}/nodes/broken`]: 'x' });
    const { items } = await listResources({ kind: parseKind('nodes'), namespace: undefined }, read);
    expect(items).toHaveLength(1);
    expect(read.warnings).toEqual([expect.stringContaining(`${RESOURCES}/nodes/broken`)]);
  });

  it.each([
    [undefined, { strictAffinity: false, autoAllocateBlocks: true }],
    ['{}', { strictAffinity: false, autoAllocateBlocks: false }],
    [
      '{"strict_affinity":true,"maxBlocksPerHost":2,"ipCooldownSeconds":9}',
      { strictAffinity: true, autoAllocateBlocks: false, maxBlocksPerHost: 2, ipCooldownSeconds: 9 },
    ],
  ])('says what the allocator obeys when its key holds %s', async (value, spec) => {
    const read = reader(value === undefined ? {} : { '/calico/ipam/v2/config': value });
    const { items } = await listResources({ kind: parseKind('ipamconfig'), namespace: undefined }, read);
    expect(items).toEqual([expect.objectContaining({ kind: 'IPAMConfiguration', spec })]);
  });
});

describe('readResource()', () => {
  it('fills in what an old pool means', async () => {
    const pool = await readResource(
      { kind: parseKind('pool'), namespace: undefined },
      'default-ipv4-ippool',
      reader(),
    );
    expect(pool.spec).toEqual({
      cidr: '192.168.0.0/16',
      vxlanMode: 'Never',
      ipipMode: 'Never',
      natOutgoing: true,
      blockSize: 26,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
      assignmentMode: 'Automatic',
    });
  });

  it.each([
    ['nodes', 'nope', undefined, 'resource does not exist: Node(nope) with error: <nil>'],
    ['wep', 'nope', 'ns', 'resource does not exist: WorkloadEndpoint(ns/nope) with error: <nil>'],
    ['ipamconfig', 'x', undefined, 'resource does not exist: IPAMConfiguration(x) with error: <nil>'],
    ['nodes', 'a/b', undefined, 'invalid name "a/b"'],
  ])('has no %s %s', async (kind, name, namespace, message) => {
    await expect(readResource({ kind: parseKind(kind), namespace }, name, reader())).rejects.toThrow(message);
  });
});
