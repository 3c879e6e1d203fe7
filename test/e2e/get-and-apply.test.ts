/** `calico get` and `calico apply` on a real etcd, with settings from everywhere they can come from. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLUSTER_OF_ONE_POD, calicoctlOutput, withoutVersions } from '../support/calicoctl-output.ts';
import { type Identity, makeCa, makeCertificate } from '../support/certificates.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { executable } from '../support/executable.ts';
import { type Finished, type RunOptions, run } from '../support/run.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'get-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const calico = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
  run([executable('calico'), ...args], options);

describe('on etcd', () => {
  let etcd: Etcd;
  let env: Record<string, string>;
  beforeAll(async () => {
    etcd = await startEtcd();
    env = { ETCD_ENDPOINTS: etcd.endpoint };
  });
  afterAll(() => etcd.stop());
  beforeEach(() => etcd.putAll(CLUSTER_OF_ONE_POD));
  afterEach(() => etcd.wipe());

  it.each([
    ['get-workloadendpoints', ['workloadendpoints']],
    ['get-workloadendpoints--o-wide', ['workloadendpoints', '-o', 'wide']],
    ['get-workloadendpoint--o-yaml', ['workloadendpoint', '-o', 'yaml']],
    ['get-ippools--o-wide', ['ippools', '-o', 'wide']],
    ['get-nodes--o-wide', ['nodes', '-o', 'wide']],
    ['get-profiles', ['profiles']],
  ])('%s prints what calicoctl prints', async (fixture, args) => {
    const { stdout, stderr, exitCode } = await calico(['get', ...args], { env });
    expect(withoutVersions(stdout)).toBe(withoutVersions(calicoctlOutput(fixture)));
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('what get prints is what apply takes', async () => {
    const { stdout } = await calico(['get', 'pool', 'default-ipv4-ippool', '-o', 'yaml'], { env });
    const edited = stdout.replace('natOutgoing: true', 'natOutgoing: false');
    const applied = await calico(['apply', '-f', '-'], { env, stdin: edited });
    expect(applied.stdout).toContain('IPPool(default-ipv4-ippool) updated\n');
    expect(applied.stdout).toContain('  spec.natOutgoing: true → (removed)\n');
    expect((await calico(['get', 'pools', '-o', 'custom-columns=NAT'], { env })).stdout).toBe(
      'NAT     \nfalse   \n\n',
    );
    // Somebody was faster.
    const again = await calico(['apply', '-f', '-'], { env, stdin: edited });
    expect(again.stderr).toContain('Error: update conflict: IPPool(default-ipv4-ippool): Resource version');
    expect(again.exitCode).toBe(1);
  });

  it('ten that apply at once all get their label in', async () => {
    const node = (label: string) =>
      JSON.stringify({
        apiVersion: 'projectcalico.org/v3',
        kind: 'Node',
        metadata: { name: 'node1', labels: { [label]: '' } },
        spec: { bgp: { ipv4Address: '10.0.0.1/24' } },
      });
    const labels = Array.from({ length: 10 }, (_, index) => `l${index}`);
    const results = await Promise.all(
      labels.map((label) => calico(['apply', '-f', '-'], { env, stdin: node(label) })),
    );
    expect(results.map(({ exitCode, stderr }) => `${stderr}${exitCode}`)).toEqual(labels.map(() => '0'));
    const { stdout } = await calico(['get', 'node', 'node1', '-o', 'json'], { env });
    expect(Object.keys(JSON.parse(stdout).metadata.labels).sort()).toEqual(labels);
  });

  it('a command line that is wrong ends with 2, a resource that is not there with 1', async () => {
    expect((await calico(['get', 'policies'], { env })).exitCode).toBe(2);
    expect((await calico(['get', 'nodes', '-o', 'xml'], { env })).exitCode).toBe(2);
    expect((await calico(['apply'], { env })).exitCode).toBe(2);
    const { stdout, stderr, exitCode } = await calico(['get', 'nodes', 'node1', 'node2'], { env });
    expect([stdout, stderr, exitCode]).toEqual([
      'NAME    \nnode1   \n\n',
      'Error: resource does not exist: Node(node2) with error: <nil>\n',
      1,
    ]);
  });

  it('takes the endpoints from a settings file, in place of the environment, and from an option before both', async () => {
    const file = join(folder, 'calicoctl.cfg');
    const settings = (endpoints: string) =>
      writeFileSync(
        file,
        `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n  etcdEndpoints: ${endpoints}\n`,
      );
    const elsewhere = 'http://127.0.0.1:1';
    settings(etcd.endpoint);
    const get = (...more: readonly string[]) =>
      calico(['get', 'nodes', '--config', file, ...more], { env: { ETCD_ENDPOINTS: elsewhere } });
    expect((await get()).stdout).toContain('node1');
    settings(elsewhere);
    expect((await get('--etcd-endpoints', etcd.endpoint)).stdout).toContain('node1');
  });
});

describe('on etcd with TLS', () => {
  let etcd: Etcd;
  let ca: Identity;
  let client: Identity;
  beforeAll(async () => {
    ca = makeCa(folder, 'ca');
    client = makeCertificate(folder, 'client', ca, 'DNS:client');
    etcd = await startEtcd({
      tls: { ca: ca.cert, ...makeCertificate(folder, 'server', ca, 'IP:127.0.0.1') },
    });
    await etcd.putAll(CLUSTER_OF_ONE_POD);
  });
  afterAll(() => etcd.stop());

  it.each([
    ['names the files', (path: string) => path, 'File'],
    ['holds the certificates', (path: string) => JSON.stringify(readFileSync(path, 'utf8')), ''],
  ])('a settings file that %s is enough', async (_what, value, suffix) => {
    const file = join(folder, `tls${suffix}.cfg`);
    const spec = [
      `etcdEndpoints: ${etcd.endpoint}`,
      `etcdCACert${suffix}: ${value(ca.cert)}`,
      `etcdCert${suffix}: ${value(client.cert)}`,
      `etcdKey${suffix}: ${value(client.key)}`,
    ];
    writeFileSync(
      file,
      `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n${spec.map((line) => `  ${line}\n`).join('')}`,
    );
    const { stdout, stderr } = await calico(['get', 'nodes', '-c', file]);
    expect(`${stderr}${stdout}`).toBe('NAME    \nnode1   \n\n');
  });
});
