import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandResult, commandLine } from '../../../support/command-line.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apply-'));
  chmodSync(folder, 0o700);
});
afterEach(() => rmSync(folder, { recursive: true }));

function calico(args: readonly string[], stdin = ''): Promise<CommandResult> {
  const datastore = ['--datastore-type', 'embedded', '--datastore-path', join(folder, 'calico.db')];
  return commandLine([...args, ...datastore], { stdin });
}

const apply = (stdin: string, ...args: readonly string[]) => calico(['apply', '-f', '-', ...args], stdin);

function resource(kind: string, name: string, spec: object, metadata: object = {}): string {
  return `${JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, ...metadata }, spec })}\n`;
}

const POOL = resource('IPPool', 'p1', { cidr: '10.8.0.0/16', natOutgoing: true });

/** What is stored, as calicoctl would show it. */
async function shown(kind: string, name: string): Promise<Record<string, Record<string, unknown>>> {
  return JSON.parse((await calico(['get', kind, name, '-o', 'json'])).stdout);
}

describe('calico apply', () => {
  it('creates, says nothing changed, and shows what did', async () => {
    expect(await apply(POOL)).toEqual({
      stdout: "IPPool(p1) created\nSuccessfully applied 1 'IPPool' resource(s)\n",
      stderr: '',
      exitCode: 0,
    });
    expect((await apply(POOL)).stdout).toContain('IPPool(p1) unchanged\n');
    const changed = await apply(
      resource('IPPool', 'p1', { cidr: '10.8.0.0/16', disabled: true, ipipMode: 'Always' }),
    );
    expect(changed.stdout).toBe(
      `IPPool(p1) updated
  spec.ipipMode: "Never" → "Always"
  spec.natOutgoing: true → (removed)
  spec.disabled: (nothing) → true
Successfully applied 1 'IPPool' resource(s)
`,
    );
  });

  it('stores what calicoctl stores', async () => {
    await apply(POOL);
    const { metadata, spec } = await shown('pool', 'p1');
    expect(Object.keys(metadata ?? {})).toEqual(['name', 'uid', 'resourceVersion', 'creationTimestamp']);
    expect(spec).toEqual({
      cidr: '10.8.0.0/16',
      vxlanMode: 'Never',
      ipipMode: 'Never',
      natOutgoing: true,
      blockSize: 26,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
      assignmentMode: 'Automatic',
    });
  });

  it.each(['yaml', 'json'])('takes what get prints as %s, and changes nothing', async (format) => {
    await apply(
      POOL +
        `---\n${resource('Node', 'n1', { bgp: { ipv4Address: '10.0.0.1/24' }, orchRefs: [{ nodeName: 'n1', orchestrator: 'k8s' }] })}`,
    );
    for (const kind of ['pools', 'nodes']) {
      const { stdout } = await calico(['get', kind, '-o', format]);
      expect((await apply(stdout)).stdout).toMatch(/^\w+\(\w+\) unchanged\n/);
    }
  });

  it('writes nothing when it only looks', async () => {
    const { stdout } = await apply(POOL, '--dry-run');
    expect(stdout).toBe('IPPool(p1) would be created\nNothing was written (--dry-run)\n');
    expect((await calico(['get', 'pools', '-o', 'json'])).stdout).toContain('"items": []');
  });

  it('adds labels, and keeps those that are there', async () => {
    await apply(resource('Node', 'n1', {}, { labels: { rack: '1' } }));
    expect((await apply(resource('Node', 'n1', {}, { labels: { zone: 'a' } }))).stdout).toContain(
      '  metadata.labels.zone: (nothing) → "a"\n',
    );
    expect((await shown('node', 'n1')).metadata?.labels).toEqual({ rack: '1', zone: 'a' });
  });

  it('refuses a version that is not the newest, and takes the newest', async () => {
    await apply(POOL);
    const { resourceVersion } = (await shown('pool', 'p1')).metadata ?? {};
    const disabled = (version: unknown) =>
      resource('IPPool', 'p1', { cidr: '10.8.0.0/16', disabled: true }, { resourceVersion: version });
    expect((await apply(disabled('999'))).stderr).toContain(
      `Error: update conflict: IPPool(p1): Resource version '999' is out of date (latest: ${resourceVersion}). Update the resource YAML/JSON in order to make changes.\n`,
    );
    expect((await apply(disabled(resourceVersion))).exitCode).toBe(0);
  });

  it('writes all or nothing', async () => {
    const { stderr, exitCode } = await apply(
      `${POOL}---\n${resource('IPPool', 'p2', { cidr: '10.8.7.0/24' })}`,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'IPPool(p2): spec.cidr: IPPool(p2) CIDR overlaps with IPPool(p1) CIDR 10.8.0.0/16',
    );
    expect((await calico(['get', 'pools', '-o', 'json'])).stdout).toContain('"items": []');
  });

  it('reads lists, documents, comments and aliases', async () => {
    const text = `# two
apiVersion: projectcalico.org/v3
kind: IPReservationList
items:
- {apiVersion: projectcalico.org/v3, kind: IPReservation, metadata: {name: r1}, spec: {reservedCIDRs: [10.8.0.0/30, 10.8.0.9]}}
- {apiVersion: projectcalico.org/v3, kind: IPReservation, metadata: {name: r2}, spec: {}}
---
# nothing
---
apiVersion: projectcalico.org/v3
kind: IPAMConfig
metadata: {name: default}
spec: {strictAffinity: true, maxBlocksPerHost: 4}
`;
    expect((await apply(text)).stdout).toBe(
      'IPReservation(r1) created\nIPReservation(r2) created\nIPAMConfiguration(default) created\nSuccessfully applied 3 resource(s)\n',
    );
    expect((await shown('ipamconfig', 'default')).spec).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 4,
    });
  });

  it('reads files, and says which one it cannot', async () => {
    const file = join(folder, 'pool.yaml');
    writeFileSync(file, POOL);
    expect((await calico(['apply', '-f', file])).exitCode).toBe(0);
    expect((await calico(['apply', '-f', '/nowhere'])).stderr).toMatch(
      /^Error: cannot read \/nowhere\nENOENT/,
    );
  });

  it.each([
    ['nothing', '', 'No resources specified in file stdin'],
    ['a comment', '# x\n', 'No resources specified in file stdin'],
    ['broken YAML', 'a: b: c', 'cannot read stdin: '],
    ['a number', '5', 'stdin: document 1 must be a resource, found number 5'],
    [
      'another API',
      '{"kind":"IPPool","apiVersion":"v1"}',
      'stdin: document 1: apiVersion: must be projectcalico.org/v3, found string "v1"',
    ],
    [
      'a policy',
      resource('NetworkPolicy', 'x', {}),
      'kind: NetworkPolicy is not one of IPPool, Node, IPReservation, IPAMConfiguration: use calicoctl for it',
    ],
    ['a resource twice', `${POOL}---\n${POOL}`, 'IPPool(p1) is there twice: leave one of them out'],
    [
      'a namespace',
      resource('IPPool', 'p', { cidr: '10.0.0.0/8' }, { namespace: 'x' }),
      'namespace should not be specified for a non-namespaced resource. IPPool is not a namespaced resource',
    ],
    [
      'a label that is a number',
      resource('Node', 'n', {}, { labels: { rack: 1 } }),
      'Node(n): metadata.labels.rack: must be a string: put it in quotes, found number 1',
    ],
    [
      'a label nobody can select',
      resource('Node', 'n', {}, { labels: { rack: 'a b' } }),
      'metadata.labels.rack: must be at most 63 letters',
    ],
    [
      'a name in capitals',
      resource('Node', 'N1', {}),
      "metadata.name: name must consist of lower case alphanumeric characters, '-' or '.'",
    ],
  ])('refuses %s', async (_what, text, message) => {
    const { stderr, exitCode } = await apply(text);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });

  it.each([
    [{}, 'spec.cidr: IPPool CIDR must be specified'],
    [
      { cidr: '10.0.0.0' },
      'spec.cidr: must be a valid subnet, such as 192.168.0.0/16, found string "10.0.0.0"',
    ],
    [{ cidr: '10.0.0.1/8' }, 'spec.cidr: 10.0.0.1/8 is not strictly masked: did you mean 10.0.0.0/8?'],
    [{ cidr: '169.254.1.0/24' }, 'spec.cidr: IPPool CIDR overlaps with IPv4 Link Local range 169.254.0.0/16'],
    [{ cidr: 'fe80::/64' }, 'IPv6 Link Local range fe80::/10'],
    [
      { cidr: '10.0.0.0/8', blockSize: 19 },
      'spec.blockSize: IPv4 block size must be between 20 and 32, found 19',
    ],
    [{ cidr: '10.0.0.0/8', blockSize: 33 }, 'must be between 20 and 32, found 33'],
    [{ cidr: 'fd00::/48', blockSize: 115 }, 'IPv6 block size must be between 116 and 128, found 115'],
    [{ cidr: 'fd00::/48', blockSize: 129 }, 'must be between 116 and 128, found 129'],
    [
      { cidr: '10.0.0.0/8', blockSize: '26' },
      'spec.blockSize: must be the length of a prefix, found string "26"',
    ],
    [
      { cidr: '10.0.0.0/28' },
      'IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size: a block of /26 does not fit into a /28; set spec.blockSize to 28',
    ],
    [
      { cidr: '10.0.0.0/8', ipipMode: 'always' },
      'spec.ipipMode: must be Always or CrossSubnet or Never, found string "always"',
    ],
    [
      { cidr: '10.0.0.0/8', ipipMode: 'Always', vxlanMode: 'Always' },
      'Cannot enable both VXLAN and IPIP on the same IPPool',
    ],
    [{ cidr: 'fd00::/48', ipipMode: 'Always' }, 'IPIP is not supported on an IPv6 IP pool'],
    [{ cidr: '10.0.0.0/8', nodeSelector: 'rack = 1' }, 'spec.nodeSelector: invalid selector "rack = 1"'],
    [
      { cidr: '10.0.0.0/8', natOutgoing: 'yes' },
      'spec.natOutgoing: must be true or false, found string "yes"',
    ],
    [
      { cidr: '10.0.0.0/8', natOutgoin: true },
      'spec.natOutgoin: is not a field that Calico has; did you mean natOutgoing?',
    ],
    [{ cidr: '10.0.0.0/8', colour: 'red' }, 'these are: cidr, vxlanMode, ipipMode'],
    [
      { cidr: '10.0.0.0/8', allowedUses: ['Pods'] },
      'spec.allowedUses[0]: must be Workload or Tunnel or LoadBalancer',
    ],
    [
      { cidr: '10.0.0.0/8', allowedUses: ['LoadBalancer', 'Tunnel'] },
      'LoadBalancer cannot be used simultaneously with Workload or Tunnel',
    ],
    [{ cidr: '10.0.0.0/8', assignmentMode: 'Auto' }, 'spec.assignmentMode: must be Automatic or Manual'],
  ])('refuses a pool of %j', async (spec, message) => {
    const { stderr, exitCode } = await apply(resource('IPPool', 'p', spec));
    expect(stderr).toContain(`IPPool(p): ${message.startsWith('spec.') ? message : ''}`);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });

  it.each([
    ['of one block', { cidr: '10.0.0.0/26' }],
    ['too small, but disabled', { cidr: '10.0.0.0/28', disabled: true }],
    ['of IPv6, written long', { cidr: 'fd00:0:0:0::/64' }],
    ['for load balancers', { cidr: '10.0.0.0/24', allowedUses: ['LoadBalancer'] }],
  ])('takes a pool %s', async (_what, spec) => {
    expect(await apply(resource('IPPool', 'p', spec))).toMatchObject({ stderr: '', exitCode: 0 });
  });

  it.each([
    [{ cidr: '10.9.0.0/16' }, 'spec.cidr: IPPool CIDR cannot be modified: it is 10.8.0.0/16'],
    [
      { cidr: '10.8.0.0/16', blockSize: 27 },
      'spec.blockSize: IPPool BlockSize cannot be modified: it is 26, found 27',
    ],
  ])('refuses to make it %j', async (spec, message) => {
    await apply(POOL);
    expect((await apply(resource('IPPool', 'p1', spec))).stderr).toContain(message);
  });

  it.each([
    [{ bgp: {} }, 'spec.bgp: Spec.BGP should not be empty'],
    [
      { bgp: { ipv4Address: 'fd00::1/64' } },
      'spec.bgp.ipv4Address: must be an IPv4 address with the length of its mask, such as 10.0.0.1/24',
    ],
    [{ bgp: { asNumber: 5_000_000_000 } }, 'spec.bgp.asNumber: must be an AS number from 0 to 4294967295'],
    [{ vxlanTunnelMACAddr: 'x' }, 'spec.vxlanTunnelMACAddr: must be a MAC address'],
    [
      { addresses: [{ address: '10.0.0.1', type: 'Internal' }] },
      'spec.addresses[0].type: must be CalicoNodeIP or InternalIP or ExternalIP',
    ],
  ])('refuses a node of %j', async (spec, message) => {
    expect((await apply(resource('Node', 'n', spec))).stderr).toContain(`Node(n): ${message}`);
  });

  it.each([
    [
      { autoAllocateBlocks: false },
      "Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time",
    ],
    [{ maxBlocksPerHost: 2 }, 'MaxBlocksPerHost requires StrictAffinity to be enabled'],
    [{ ipCooldownSeconds: 1201 }, 'spec.ipCooldownSeconds: must be a whole number from 0 to 1200'],
  ])('refuses an IPAM configuration of %j', async (spec, message) => {
    expect((await apply(resource('IPAMConfiguration', 'default', spec))).stderr).toContain(message);
  });

  it('refuses a reservation that is none', async () => {
    expect(
      (await apply(resource('IPReservation', 'r', { reservedCIDRs: ['10.0.0.0/33'] }))).stderr,
    ).toContain(
      'spec.reservedCIDRs[0]: must be an address or a CIDR, such as 10.0.0.7 or 10.0.0.0/30, found string "10.0.0.0/33"',
    );
  });
});

describe('calico create', () => {
  it('refuses what is there', async () => {
    expect((await calico(['create', '-f', '-'], POOL)).stdout).toContain(
      "Successfully created 1 'IPPool' resource(s)",
    );
    expect((await calico(['create', '-f', '-'], POOL)).stderr).toBe(
      'Error: resource already exists: IPPool(p1) with error: <nil>\nUse "calico apply" to change it.\n',
    );
  });
});
