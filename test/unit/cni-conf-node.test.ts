/** calico-node.service and calico-node.yaml: what they say, held against what the command and the installer know. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it, onTestFinished } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { datastoreSettings } from '../../src/cli/datastore-options.ts';
import { agentSettings } from '../../src/cli/node.ts';
import { NODENAME_FILE } from '../../src/config/node-name.ts';
import { installSettings } from '../../src/install/install-settings.ts';
import { unknownCluster } from '../../src/node/cluster.ts';
import { felixEnvironment } from '../../src/node/felix-environment.ts';
import { felixSettings } from '../../src/node/felix-settings.ts';
import { DEFAULT_SOCKET } from '../../src/node/operations.ts';
import { findTool, REPOSITORY } from '../support/tools.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a field holds is Kubernetes' to say, and the test's to expect
type Manifest = any;

const text = (name: string) => readFileSync(join(REPOSITORY, 'cni-conf', name), 'utf8');

describe('calico-node.service', () => {
  const unit = text('calico-node.service');
  const sections = parseUnit(unit);
  const service = sections.get('Service') ?? new Map<string, string>();

  it('runs the agent from where calico install puts it, and needs no option', () => {
    const { places } = installSettings({}, { host: '/', test: true, hostname: 'x' });
    expect(service.get('ExecStart')).toBe(`${places.binFolders[0]}/calico node`);
  });

  it('takes the settings from the file that Calico’s installation on hosts has', () => {
    expect(service.get('EnvironmentFile')).toBe('/etc/calico/calico.env');
    const env = { CALICO_NODENAME: 'n', CALICO_IP: '10.0.0.1/24', ETCD_ENDPOINTS: 'http://10.0.0.2:2379' };
    expect(agentSettings({ logLevel: 'info' }, { env }).nodeName).toBe('n');
    expect(datastoreSettings({}, undefined, env)).toMatchObject({ endpoints: ['http://10.0.0.2:2379'] });
  });

  it('is started again whenever it ends, and takes nothing else along', () => {
    expect(Object.fromEntries(service)).toMatchObject({ Restart: 'always', KillMode: 'process' });
    expect(sections.get('Unit')?.get('StartLimitIntervalSec')).toBe('0');
    expect([...service.keys()].filter((key) => /^ExecSto/.test(key))).toEqual([]);
  });

  it('waits for the network', () => {
    expect(sections.get('Unit')?.get('After')).toContain('network-online.target');
    expect(sections.get('Unit')?.get('Wants')).toBe('network-online.target');
  });

  it('may change the network, write its folder, and nothing else', () => {
    expect(Object.fromEntries(service)).toMatchObject({
      CapabilityBoundingSet: 'CAP_NET_ADMIN',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
      StateDirectory: 'calico',
      RuntimeDirectory: 'calico',
    });
  });

  it('may make its socket where calico node status looks for it, and takes nothing away when it ends', () => {
    expect(dirname(DEFAULT_SOCKET)).toBe('/var/run/calico');
    expect(Object.fromEntries(service)).toMatchObject({
      RuntimeDirectory: 'calico',
      RuntimeDirectoryPreserve: 'yes',
    });
  });

  it.each(['ProtectKernelTunables', 'PrivateNetwork', 'ProcSubset', 'MemoryDenyWriteExecute'])(
    'does not have %s, with which it could not work',
    (key) => expect(service.has(key)).toBe(false),
  );

  it.skipIf(findTool('systemd-analyze') === undefined)('is understood by systemd', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'calico-node.service');
    writeFileSync(path, unit.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'));
    const verify = `systemd-analyze verify ${path} 2>&1`;
    const remarks = execFileSync('sh', ['-c', verify], { encoding: 'utf8', env: process.env });
    // What systemd older than 254 does not know, it passes over.
    expect(remarks.replaceAll(/.*Restart(?:Steps|MaxDelaySec)'.*ignoring\.\n/g, '')).toBe('');
  });
});

/** The last value of each key; the unit has no lists that go over several lines. */
function parseUnit(unit: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  for (const line of unit.split('\n')) {
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) section = sections.getOrInsertComputed(name, () => new Map());
    else if (key !== undefined) section.set(key, value ?? '');
    else expect(line).toMatch(/^(?:#.*)?$/);
  }
  return sections;
}

describe('calico-node.yaml', () => {
  const manifests: readonly Manifest[] = loadAll(text('calico-node.yaml'));
  const plugin: readonly Manifest[] = loadAll(text('calico-cni.yaml'));
  const find = (kind: string, name: string, among = manifests): Manifest =>
    among.find((one) => one.kind === kind && one.metadata.name === name) ??
    expect.unreachable(`there is no ${kind} ${name}`);
  const pod = find('DaemonSet', 'calico-node').spec.template.spec;
  const [install] = pod.initContainers;
  const [agent, keeper] = pod.containers;

  it('lets the agent read nodes, and the installer ask for tokens of the account of the plugin', () => {
    const rights = [find('ClusterRole', 'calico-node').rules, find('Role', 'calico-cni-installer').rules];
    expect(rights).toEqual([
      [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
      find('Role', 'calico-cni-installer', plugin).rules,
    ]);
    const bindings = manifests.filter(
      ({ kind, roleRef }) => kind.endsWith('Binding') && roleRef.name !== 'calico-cni-plugin',
    );
    expect(bindings.map(({ roleRef, subjects }) => [roleRef.name, subjects[0].name])).toEqual([
      ['calico-node', 'calico-node'],
      ['calico-cni-installer', 'calico-node'],
    ]);
    expect(pod.serviceAccountName).toBe('calico-node');
  });

  it('gives the plugin the account that calico-cni.yaml gives it', () => {
    for (const kind of ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding'])
      expect(find(kind, 'calico-cni-plugin')).toEqual(find(kind, 'calico-cni-plugin', plugin));
  });

  it('installs the plugin as calico-cni.yaml does, once before and then for as long as it runs', () => {
    const [installer] = find('DaemonSet', 'calico-cni', plugin).spec.template.spec.containers;
    for (const one of [install, keeper]) {
      expect(one).toMatchObject({ command: ['/usr/bin/calico', 'install', '--no-test'] });
      expect(one.securityContext).toEqual(installer.securityContext);
      expect(one.volumeMounts).toEqual(installer.volumeMounts);
      expect(names(one).filter((name) => name !== 'SLEEP')).toEqual(names(installer));
    }
    const stays = (one: Manifest) =>
      installSettings(plainEnv(one), { host: undefined, test: false, hostname: 'x' }).stays;
    expect([install, keeper].map(stays)).toEqual([false, true]);
  });

  it('is asked where it serves, and can be asked from the host', () => {
    const { settings } = felixSettings(unknownCluster('n1', felixEnvironment(plainEnv(agent))));
    for (const probe of [agent.livenessProbe, agent.readinessProbe])
      expect(probe.httpGet.port).toBe(settings.health.port);
    const mount = agent.volumeMounts.find(({ mountPath }: Manifest) => mountPath === dirname(DEFAULT_SOCKET));
    const volume = pod.volumes.find(({ name }: Manifest) => name === mount.name);
    expect(volume.hostPath.path).toBe(dirname(DEFAULT_SOCKET));
  });

  it('is understood by the agent', () => {
    const env = { ...plainEnv(agent), NODENAME: 'n1', CALICO_K8S_NODE_REF: 'worker-1' };
    expect(agentSettings({ logLevel: 'info' }, { env }).registration).toMatchObject({
      nodeName: 'n1',
      kubernetesNode: 'worker-1',
      addresses: { 4: { use: 'detected' } },
      methods: { 4: { by: 'kubernetes' } },
      pools: [{ cidr: expect.anything(), vxlanMode: 'CrossSubnet', ipipMode: 'Never' }],
    });
    expect(agent.command).toEqual(['/usr/bin/calico', 'node']);
  });

  it('takes the values from objects that are there, and certificates from where the Secret is mounted', () => {
    const containers = [install, agent, keeper];
    const references = containers.flatMap(({ env }) =>
      env.flatMap(({ valueFrom }: Manifest) => valueFrom?.configMapKeyRef ?? []),
    );
    const { data } = find('ConfigMap', 'calico-node');
    expect(references.map(({ name }) => name)).toEqual(references.map(() => 'calico-node'));
    expect(new Set(references.map(({ key }) => key))).toEqual(new Set(Object.keys(data)));
    const { mountPath } = agent.volumeMounts.find(({ name }: Manifest) => name === 'etcd-secrets');
    expect([data.etcd_ca, data.etcd_cert, data.etcd_key]).toEqual(
      ['etcd-ca', 'etcd-cert', 'etcd-key'].map((file) => `${mountPath}/${file}`),
    );
  });

  it('shares the network and the processes of the node, on every node', () => {
    expect(pod).toMatchObject({
      ...{ hostNetwork: true, hostPID: true, priorityClassName: 'system-node-critical' },
      tolerations: [{ operator: 'Exists' }],
    });
  });

  it('has one right, and writes two folders', () => {
    expect(agent.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    });
    expect(agent.securityContext.privileged).toBeUndefined();
    const writable = agent.volumeMounts.filter(({ readOnly }: Manifest) => readOnly !== true);
    expect(writable.map(({ mountPath }: Manifest) => mountPath)).toEqual([
      dirname(NODENAME_FILE),
      dirname(DEFAULT_SOCKET),
    ]);
  });

  it('asks the agent whether it lives and is ready, on the loopback address of the node', () => {
    const at = (path: string) => ({ httpGet: { host: 'localhost', path, port: 9099 } });
    expect(agent).toMatchObject({ livenessProbe: at('/liveness'), readinessProbe: at('/readiness') });
  });

  it('is of this version, and mounts the volumes that there are', () => {
    const containers = [install, agent, keeper];
    expect(new Set(containers.map(({ image }) => image))).toEqual(
      new Set([`localhost/calico-cni:${packageJson.version}`]),
    );
    const mounted = containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }: Manifest) => name));
    expect(new Set(mounted)).toEqual(new Set(pod.volumes.map(({ name }: Manifest) => name)));
  });

  function names({ env }: Manifest): readonly string[] {
    return env.map(({ name }: Manifest) => name);
  }

  /** Without what other objects say. */
  function plainEnv({ env }: Manifest): Readonly<Record<string, string>> {
    return Object.fromEntries(
      env.flatMap(({ name, value }: Manifest) => (value === undefined ? [] : [[name, value]])),
    );
  }
});
