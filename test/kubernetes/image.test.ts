/** The container image: imported into containerd, and run as the DaemonSet in cni-conf runs it. */

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { type Containerd, startContainerd } from '../support/containerd.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { executable } from '../support/executable.ts';
import { type KubeApiServer, type KubeObject, startKubeApiServer } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { type Finished, output, run } from '../support/run.ts';
import { REPOSITORY, requireTool } from '../support/tools.ts';

const IMAGE = `localhost/calico-cni:${packageJson.version}`;
const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

/** Those that containerd gives unless it is told otherwise. */
const ALL_RIGHTS = [
  ...[
    'CHOWN',
    'DAC_OVERRIDE',
    'FSETID',
    'FOWNER',
    'MKNOD',
    'NET_RAW',
    'SETGID',
    'SETUID',
    'SETFCAP',
    'SETPCAP',
  ],
  ...['NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
].map((name) => `CAP_${name}`);

const LOOPBACK = { cniVersion: '1.0.0', name: 'none', plugins: [{ type: 'loopback' }] };
/** Where the API keeps each kind of the manifest. */
const PATHS: Readonly<Record<string, string>> = {
  ServiceAccount: '/api/v1/namespaces/kube-system/serviceaccounts',
  ConfigMap: '/api/v1/namespaces/kube-system/configmaps',
  Secret: '/api/v1/namespaces/kube-system/secrets',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings',
  DaemonSet: '/apis/apps/v1/namespaces/kube-system/daemonsets',
};

describe.skipIf(why !== undefined)(`the container image${skipped}`, () => {
  let folder: string;
  let etcd: Etcd;
  let api: KubeApiServer;
  let containerd: Containerd;
  let ctr: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'image-'));
    execFileSync(process.execPath, [join(REPOSITORY, 'build/image.ts')]);
    etcd = await startEtcd();
    api = await startKubeApiServer(etcd.endpoint);
    containerd = await startContainerd(LOOPBACK);
    ctr = [requireTool('ctr'), '--address', containerd.socketPath, '--namespace', 'test'];
    const archive = join(REPOSITORY, 'dist/calico-image.tar');
    await output([...ctr, 'images', 'import', '--snapshotter', 'native', archive], { timeoutMs: 100_000 });
  });
  afterAll(async () => {
    await containerd.stop();
    await api.stop();
    await etcd.stop();
    rmSync(folder, { recursive: true });
  });

  let count = 0;
  function runContainer(options: readonly string[], ...command: readonly string[]): Promise<Finished> {
    const args = [
      'run',
      '--rm',
      '--snapshotter',
      'native',
      '--net-host',
      ...options,
      IMAGE,
      `test${++count}`,
    ];
    return run([...ctr, ...args, ...command], { timeoutMs: 60_000 });
  }

  it('has a name, and is the executable with all it needs', async () => {
    expect(await output([...ctr, 'images', 'list', '--quiet'])).toContain(IMAGE);
    expect(await runContainer([], '/usr/bin/calico', '-v')).toMatchObject({
      exitCode: 0,
      stdout: `${packageJson.version}\n`,
    });
  });

  it('begins to install when it is told nothing, and says what is missing', async () => {
    const { exitCode, stderr } = await runContainer([]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('/host/opt/cni/bin: it does not exist: mount it from the host');
  });

  it('has the name of the installer that manifests of Calico call', async () => {
    expect((await runContainer([], '/opt/cni/bin/install')).stderr).toContain('mount it from the host');
  });

  it('installs what the DaemonSet asks for, with a token that has exactly its rights', async () => {
    expect(await applyManifests(api, 'calico-cni.yaml')).toBe(9);
    await output([
      executable('calico'),
      'bootstrap',
      '--pool',
      '10.8.0.0/16',
      '--etcd-endpoints',
      etcd.endpoint,
      '--node',
      'node1',
    ]);
    const [bin, net, account] = ['bin', 'net', 'account'].map((name) => join(folder, name));
    if (bin === undefined || net === undefined || account === undefined) throw new Error('no folders');
    mkdirSync(bin);
    mkdirSync(net);
    await writeAccount(api, account);
    const mount = (from: string, to: string, how = 'rw') => [
      '--mount',
      `type=bind,src=${from},dst=${to},options=rbind:${how}`,
    ];
    const { port } = new URL(api.url);
    const env = [
      `ETCD_ENDPOINTS=${etcd.endpoint}`,
      'KUBERNETES_NODE_NAME=node1',
      'KUBERNETES_SERVICE_HOST=127.0.0.1',
      `KUBERNETES_SERVICE_PORT=${port}`,
      'CNI_MTU=0',
      'SLEEP=false',
    ].flatMap((variable) => ['--env', variable]);
    const options = [
      ...mount(bin, '/host/opt/cni/bin'),
      ...mount(net, '/host/etc/cni/net.d'),
      ...mount('/', '/host/root', 'ro'),
      ...mount(account, '/var/run/secrets/kubernetes.io/serviceaccount', 'ro'),
      ...env,
    ];
    const installed = await runContainer(options);
    expect(installed.stderr).not.toContain('Error');
    expect(installed.exitCode).toBe(0);
    expect(readdirSync(bin).toSorted()).toEqual(['calico', 'calico-ipam']);
    expect(await output([join(bin, 'calico'), '-v'])).toBe(`${packageJson.version}\n`);
    const conf = JSON.parse(readFileSync(join(net, '10-calico.conflist'), 'utf8'));
    expect(conf.plugins[0]).toMatchObject({ nodename: 'node1', mtu: 0, etcd_endpoints: etcd.endpoint });
    const token = /token: "([^"]+)"/.exec(readFileSync(join(net, 'calico-kubeconfig'), 'utf8'))?.[1] ?? '';
    expect(await statusOf(api, token, '/api/v1/namespaces/default')).toBe(200);
    expect(await statusOf(api, token, '/api/v1/namespaces/kube-system/secrets')).toBe(403);
    expect((await runContainer(options)).stdout).toContain('nothing has changed');
  });

  it('runs the agent with the one right that the other DaemonSet gives it, as the Node that its account may read', async () => {
    expect(await applyManifests(api, 'calico-node.yaml')).toBe(11);
    await api.createNode('worker-1');
    const addresses = [{ type: 'InternalIP', address: '10.50.0.11' }];
    const patch = { kind: 'Node', apiVersion: 'v1', metadata: { name: 'worker-1' }, status: { addresses } };
    await api.request('PUT', '/api/v1/nodes/worker-1/status', patch);
    const [account, state] = ['node-account', 'var-lib-calico'].map((name) => join(folder, name));
    if (account === undefined || state === undefined) throw new Error('no folders');
    mkdirSync(state);
    await writeAccount(api, account, 'calico-node');
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
    execFileSync('ip', ['link', 'add', 'eth7', 'type', 'bridge']);
    execFileSync('ip', ['address', 'add', '10.50.0.11/24', 'dev', 'eth7']);
    execFileSync('ip', ['link', 'set', 'eth7', 'up']);
    const { port } = new URL(api.url);
    const env = [
      ...['NODENAME=node7', 'CALICO_K8S_NODE_REF=worker-1', `ETCD_ENDPOINTS=${etcd.endpoint}`],
      ...['KUBERNETES_SERVICE_HOST=127.0.0.1', `KUBERNETES_SERVICE_PORT=${port}`],
      ...['IP=autodetect', 'IP_AUTODETECTION_METHOD=kubernetes-internal-ip'],
    ].flatMap((variable) => ['--env', variable]);
    const mounts = [
      `type=bind,src=${account},dst=/var/run/secrets/kubernetes.io/serviceaccount,options=rbind:ro`,
      `type=bind,src=${state},dst=/var/lib/calico,options=rbind:rw`,
      `type=bind,src=${state},dst=/var/run/calico,options=rbind:rw`,
    ].flatMap((mount) => ['--mount', mount]);
    const rights = ALL_RIGHTS.flatMap((right) => ['--cap-drop', right]);
    const options = ['--read-only', ...rights, '--cap-add', 'CAP_NET_ADMIN', ...mounts, ...env];
    const agent = runContainer(options, '/usr/bin/calico', 'node');
    const name = `test${count}`;
    try {
      await vi.waitUntil(() => existsSync(join(state, 'nodename')), { timeout: 30_000, interval: 100 });
      expect(readFileSync(join(state, 'nodename'), 'utf8')).toBe('node7');
      const { spec } = JSON.parse(
        (await etcd.get('/calico/resources/v3/projectcalico.org/nodes/node7')) ?? '{}',
      );
      expect(spec.bgp.ipv4Address).toBe('10.50.0.11/24');
    } finally {
      await run([...ctr, 'tasks', 'kill', '--signal', 'SIGTERM', name], { timeoutMs: 10_000 });
    }
    const { exitCode, stderr } = await agent;
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain('[ERROR]');
    expect(stderr.match(/host: changed/g)).toHaveLength(1);
  });
});

/** All of a file, the one in place of the other. Gives how many objects it has. */
async function applyManifests(api: KubeApiServer, name: string): Promise<number> {
  const manifests: readonly KubeObject[] = loadAll(readFileSync(join(REPOSITORY, 'cni-conf', name), 'utf8'));
  for (const manifest of manifests) {
    const path = PATHS[manifest.kind];
    if (path === undefined) throw new Error(`where are objects of kind ${manifest.kind}?`);
    await api.request('DELETE', `${path}/${manifest.metadata.name}`).catch(() => undefined);
    // Fields that nobody knows are refused.
    await api.request('POST', `${path}?fieldValidation=Strict`, manifest);
  }
  return manifests.length;
}

/** What kubelet mounts for the account of the installer. */
async function writeAccount(
  api: KubeApiServer,
  folder: string,
  name = 'calico-cni-installer',
): Promise<void> {
  const path = `${PATHS.ServiceAccount}/${name}/token`;
  const { status } = await api.request('POST', path, { spec: { expirationSeconds: 3600 } });
  mkdirSync(folder);
  writeFileSync(join(folder, 'token'), status.token);
  cpSync(api.ca.cert, join(folder, 'ca.crt'));
  writeFileSync(join(folder, 'namespace'), 'kube-system');
}

function statusOf(api: KubeApiServer, token: string, path: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const headers = { authorization: `Bearer ${token}` };
  request(api.url + path, { headers, ca: readFileSync(api.ca.cert), agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', reject)
    .end();
  return promise;
}
