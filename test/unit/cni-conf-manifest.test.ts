import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { installSettings } from '../../src/install/install-settings.ts';
import { REPOSITORY } from '../support/tools.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a field holds is Kubernetes' to say, and the test's to expect
type Manifest = any;

const manifests: readonly Manifest[] = loadAll(
  readFileSync(join(REPOSITORY, 'cni-conf/calico-cni.yaml'), 'utf8'),
);
const find = (kind: string, name: string): Manifest =>
  manifests.find((one) => one.kind === kind && one.metadata.name === name) ??
  expect.unreachable(`there is no ${kind} ${name}`);

const pod = find('DaemonSet', 'calico-cni').spec.template.spec;
const [container] = pod.containers;
const names: readonly string[] = container.env.map(({ name }: Manifest) => name);

describe('calico-cni.yaml', () => {
  it('lets the plugin read pods, nodes and namespaces, and nothing else', () => {
    expect(find('ClusterRole', 'calico-cni-plugin').rules).toEqual([
      { apiGroups: [''], resources: ['pods', 'nodes', 'namespaces'], verbs: ['get'] },
    ]);
  });

  it('lets the installer ask for tokens of the account of the plugin, and for no others', () => {
    const { serviceAccount } = installSettings({}, { host: undefined, test: true, hostname: 'x' }).kubeconfig;
    expect(find('Role', 'calico-cni-installer').rules).toEqual([
      {
        apiGroups: [''],
        resources: ['serviceaccounts/token'],
        resourceNames: [serviceAccount],
        verbs: ['create'],
      },
    ]);
    expect(find('ServiceAccount', serviceAccount).metadata.namespace).toBe('kube-system');
  });

  it('binds each role to the account that it is for', () => {
    const bound = (kind: string, name: string) => {
      const { roleRef, subjects } = find(kind, name);
      return [roleRef.name, subjects.map((subject: Manifest) => subject.name)];
    };
    expect(bound('ClusterRoleBinding', 'calico-cni-plugin')).toEqual([
      'calico-cni-plugin',
      ['calico-cni-plugin'],
    ]);
    expect(bound('RoleBinding', 'calico-cni-installer')).toEqual([
      'calico-cni-installer',
      ['calico-cni-installer'],
    ]);
    expect(pod.serviceAccountName).toBe('calico-cni-installer');
  });

  it('mounts what the installer writes to, and the rest read-only', () => {
    const { places, tlsFolder } = installSettings({}, { host: undefined, test: true, hostname: 'x' });
    const writable = container.volumeMounts.filter(({ readOnly }: Manifest) => readOnly !== true);
    expect(writable.map(({ mountPath }: Manifest) => mountPath)).toEqual([
      places.binFolders[0],
      places.netFolder,
    ]);
    const readOnly = container.volumeMounts.filter((mount: Manifest) => mount.readOnly === true);
    expect(readOnly.map(({ mountPath }: Manifest) => mountPath)).toEqual([tlsFolder, '/host/root']);
    const volumes = pod.volumes.map(({ name }: Manifest) => name).toSorted();
    expect(container.volumeMounts.map(({ name }: Manifest) => name).toSorted()).toEqual(volumes);
  });

  it('is of this version, and sets only what the installer knows', () => {
    expect(container.image).toBe(`localhost/calico-cni:${packageJson.version}`);
    const values = installSettings({}, { host: undefined, test: true, hostname: 'x' }).values;
    expect(names.filter((name) => !(name in values) && name !== 'CNI_CONF_NAME')).toEqual([]);
  });

  it('takes the values from objects that are there', () => {
    const references = container.env.flatMap(({ valueFrom }: Manifest) => valueFrom?.configMapKeyRef ?? []);
    for (const { name, key } of references) expect(find('ConfigMap', name).data).toHaveProperty(key);
    expect(references).toHaveLength(2);
  });

  it('runs before there is a pod network, on every node, with no more rights than it needs', () => {
    expect(pod).toMatchObject({ hostNetwork: true, tolerations: [{ operator: 'Exists' }] });
    expect(container.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });
});
