/** `calico ipam check --kubernetes`: endpoints whose pod the API server does not know. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { healthyCluster } from '../../support/damages.ts';
import { runExecutable } from '../../support/executable.ts';
import { TOKEN, useFakeApi } from '../../support/fake-kubernetes-api.ts';
import { startDatastore, type TestDatastore } from '../../support/test-datastore.ts';

const { pki, serve, kubeconfigWith } = useFakeApi();
let datastore: TestDatastore;

beforeAll(async () => {
  datastore = await startDatastore('the embedded store');
  for (const [key, value] of await healthyCluster()) await datastore.put(key, value);
});
afterAll(() => datastore.stop());

/** A server with these pods in two pages; `late` has come since they were listed. */
async function check(listed: readonly string[], late: readonly string[] = []) {
  const asked: string[] = [];
  const server = await serve((request, response) => {
    asked.push(request.url ?? '');
    const url = new URL(request.url ?? '', 'https://localhost');
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const name = /^\/api\/v1\/namespaces\/test\/pods\/(.+)$/.exec(url.pathname)?.[1];
    if (name !== undefined) {
      const metadata = { name, namespace: 'test' };
      if (late.includes(name)) return answer(200, { kind: 'Pod', metadata, spec: {} });
      return answer(404, {
        kind: 'Status',
        status: 'Failure',
        reason: 'NotFound',
        code: 404,
        message: 'none',
      });
    }
    const isFirst = url.searchParams.get('continue') === null;
    const items = (isFirst ? ['other'] : listed).map((pod) => ({
      metadata: { name: pod, namespace: 'test' },
    }));
    answer(200, { kind: 'PodList', metadata: isFirst ? { continue: 'on/ward' } : {}, items });
  });
  const cluster = { server, 'certificate-authority': pki().ca.cert };
  const kubeconfig = kubeconfigWith(cluster, { token: TOKEN });
  const args = [
    'ipam',
    'check',
    '--grace',
    '0',
    '--kubernetes',
    '--kubeconfig',
    kubeconfig,
    ...datastore.flags,
  ];
  return { ...(await runExecutable('calico', { args })), asked };
}

it('finds nothing where every pod is known, which is seen page by page', async () => {
  const { stdout, stderr, exitCode, asked } = await check(['web']);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^nothing found in /);
  expect(exitCode).toBe(0);
  expect(asked).toEqual(['/api/v1/pods?limit=250', '/api/v1/pods?limit=250&continue=on%2Fward']);
});

it('names the endpoint of a pod that is gone', async () => {
  const { stdout, exitCode } = await check([]);
  expect(stdout).toContain('endpoint-without-pod (1): ');
  expect(stdout).toContain(
    '/workloadendpoints/test/node1-k8s-web-eth0\n    Kubernetes has no pod test/web\n',
  );
  expect(exitCode).toBe(1);
});

it('asks for pods by name that may have come since they were listed', async () => {
  const { exitCode, asked } = await check([], ['web']);
  expect(exitCode).toBe(0);
  expect(asked.at(-1)).toBe('/api/v1/namespaces/test/pods/web');
});

it('says why the server cannot be asked', async () => {
  const args = ['ipam', 'check', '--kubernetes', '--kubeconfig', '/nonexistent', ...datastore.flags];
  const { stderr, exitCode } = await runExecutable('calico', { args });
  expect(stderr).toMatch(/^Error: .*\/nonexistent/);
  expect(exitCode).toBe(1);
});
