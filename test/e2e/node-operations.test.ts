/** What the agent tells of itself: metrics, health and status, of the executable on a host of its own. */

import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabHost, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { executable } from '../support/executable.ts';
import { metricValue, readMetrics } from '../support/metrics-text.ts';
import { whyNoNetns } from '../support/netns.ts';
import { run } from '../support/run.ts';
import { findTool } from '../support/tools.ts';

const why = whyNoNetns();
const FELIX_CONFIGURATIONS = '/calico/resources/v3/projectcalico.org/felixconfigurations';

describe.skipIf(why !== undefined)(`calico node${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: AgentLab;
  let host: LabHost;
  beforeAll(async () => {
    lab = await makeAgentLab({ subnets: [50, 60] });
    host = lab.hosts[0] as LabHost;
    await writePool(lab.etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'CrossSubnet' });
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  /** Asks as a kubelet or Prometheus does. */
  async function ask(path: string, port: number) {
    const script = `fetch('http://127.0.0.1:${port}${path}').then(async (r) => console.log(JSON.stringify({ status: r.status, body: await r.text() })))`;
    const { stdout, stderr } = await host.run([process.execPath, '-e', script]);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as { status: number; body: string };
  }
  const status = (...args: string[]) => host.run([executable('calico'), 'node', 'status', ...args]);
  const metrics = async () => readMetrics((await ask('/metrics', 9091)).body);

  it('says that no agent runs', async () => {
    const { exitCode, stderr } = await status();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('calico node does not run on this host');
    expect((await status('--socket', '/run/other.sock')).stderr).toContain('at /run/other.sock');
    const { stderr: fromEnvironment } = await host.run([executable('calico'), 'node', 'status'], {
      env: { CALICO_NODE_SOCKET: '/run/third.sock' },
    });
    expect(fromEnvironment).toContain('at /run/third.sock');
  });

  it('lives, and is not ready, while etcd has never been there', async () => {
    await lab.etcd.crash();
    const agent = host.startAgent();
    const isTold = async () => (await ask('/readiness', 9099)).body.includes('cannot reach etcd');
    await vi.waitUntil(() => isTold().catch(() => false), PATIENCE);
    expect(await ask('/readiness', 9099)).toMatchObject({
      status: 503,
      body: expect.stringMatching(/^not ready\nthe datastore has not been read yet: .*\n$/),
    });
    expect((await ask('/liveness', 9099)).status).toBe(200);
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(1);
    expect(stdout).toContain('not reached yet');
    await agent.kill();
    await lab.etcd.restart();
  });

  it('is ready when its host is as the cluster wants it', async () => {
    await lab.startAgents();
    await host.makePod();
    await lab.hosts[1]?.makePod();
    expect(await ask('/liveness', 9099)).toEqual({ status: 200, body: 'live\n' });
    expect(await ask('/readiness', 9099)).toEqual({ status: 200, body: 'ready\n' });
  });

  it('tells Prometheus about the datastore, the kernel and its addresses', async () => {
    const labels = { ippool: 'vx', node: host.name };
    const isCounted = async () => metricValue(await metrics(), 'ipam_allocations_in_use', labels) === 2;
    await vi.waitUntil(isCounted, PATIENCE);
    const isRouted = async () =>
      metricValue(await metrics(), 'calico_node_routes', { via: 'vxlan.calico' }) === 1;
    await vi.waitUntil(isRouted, PATIENCE);
    const read = await metrics();
    const value = (name: string, of = {}) => metricValue(read, name, of);
    expect(value('felix_resync_state')).toBe(3);
    expect(value('calico_node_ready')).toBe(1);
    expect(value('calico_node_resyncs_total', { cause: 'start' })).toBe(1);
    expect(value('felix_cluster_num_hosts')).toBe(2);
    expect(value('felix_active_local_endpoints')).toBe(1);
    expect(value('ipam_blocks', labels)).toBe(1);
    expect(value('ipam_ippool_size', { ippool: 'vx' })).toBe(65_536);
    expect(value('calico_node_routes', { via: 'vxlan.calico' })).toBe(1);
    expect(value('calico_node_routes', { via: 'blackhole' })).toBe(1);
    expect(value('calico_node_fdb_entries')).toBe(1);
    expect(value('calico_node_steps_total', { step: 'create-vxlan' })).toBe(1);
    expect(value('felix_int_dataplane_failures')).toBe(0);
    expect(value('calico_node_convergence_seconds_count')).toBeGreaterThan(0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e7);
  });

  const promtool = findTool('promtool');
  const whyNotRead = promtool === undefined ? ' (skipped: there is no promtool here)' : '';
  it.skipIf(promtool === undefined)(`is read by Prometheus’ own tool${whyNotRead}`, async () => {
    const stdin = (await ask('/metrics', 9091)).body;
    const { stdout, stderr } = await run([promtool ?? '', 'check', 'metrics'], { stdin });
    // Names of Felix and kube-controllers are theirs.
    const remarks = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !/^(?:felix|ipam)_/.test(line));
    expect(remarks).toEqual([]);
  });

  it('shows its peers and routes, for people and for programs', async () => {
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/state +ready/);
    expect(stdout).toMatch(/\| node2 \| 10\.60\.0\.\d+ +\| VXLAN \| 10\.77\.\S+ +\| +1 \| +1 \| +\|/);
    const json = JSON.parse((await status('-o', 'json')).stdout);
    expect(json.peers).toMatchObject([{ name: 'node2', modes: ['VXLAN'], routes: 1 }]);
    expect((await status('--routes')).stdout).toMatch(/\| 10\.77\.\S+\/26 +\| 10\.77\.\S+ +\| vxlan\.calico/);
    expect((await status('-o', 'yaml')).stdout).toContain('node: node1\n');
  });

  it('keeps its socket for root', () => {
    expect(statSync(join(host.folder, '../run/node.sock')).mode & 0o777).toBe(0o600);
  });

  it('stays ready while etcd is away, and says so', async () => {
    await lab.etcd.crash();
    const isTold = async () =>
      (await ask('/readiness', 9099)).body.includes('the datastore has not been reached');
    await vi.waitUntil(isTold, { timeout: 50_000, interval: 200 });
    expect((await ask('/readiness', 9099)).status).toBe(200);
    expect((await ask('/liveness', 9099)).status).toBe(200);
    const read = await metrics();
    expect(metricValue(read, 'felix_resync_state')).toBe(1);
    expect(metricValue(read, 'calico_node_datastore_disconnects_total')).toBeGreaterThan(0);
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('not reached; what is known stays');
    await lab.etcd.restart();
    const isBack = async () => metricValue(await metrics(), 'felix_resync_state') === 3;
    await vi.waitUntil(isBack, { timeout: 50_000, interval: 200 });
    expect((await ask('/readiness', 9099)).body).toBe('ready\n');
  }, 120_000);

  it('moves where FelixConfiguration says', async () => {
    const spec = { prometheusMetricsPort: 9191, healthEnabled: false };
    await lab.etcd.put(
      `${FELIX_CONFIGURATIONS}/default`,
      JSON.stringify({
        apiVersion: 'projectcalico.org/v3',
        kind: 'FelixConfiguration',
        metadata: { name: 'default' },
        spec,
      }),
    );
    await vi.waitUntil(() => ask('/metrics', 9191).catch(() => undefined), PATIENCE);
    await expect(ask('/metrics', 9091)).rejects.toThrow('fetch failed');
    await expect(ask('/readiness', 9099)).rejects.toThrow('fetch failed');
  });

  it('checks the host before and while an agent runs', async () => {
    const { exitCode, stdout } = await host.run([executable('calico'), 'node', 'checksystem']);
    expect(stdout).toMatch(/ok +VXLAN +tried in a network namespace of its own: it works/);
    expect(stdout).toMatch(/ok +UDP port +4789 is that of vxlan\.calico/);
    expect(exitCode).toBe(0);
    const refused = await host.run([
      ...['setpriv', '--bounding-set', '-all', '--inh-caps', '-all', '--'],
      ...[executable('calico'), 'node', 'checksystem', '-o', 'json'],
    ]);
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toContainEqual(
      expect.objectContaining({ name: 'permissions', verdict: 'failed' }),
    );
  });

  it('goes on without a port that somebody else has, and says how to find out who', async () => {
    const other = lab.hosts[1] as LabHost;
    await other.agent?.kill();
    const agent = other.startAgent({ FELIX_PROMETHEUSMETRICSPORT: '9099' });
    await agent.ready;
    expect(agent.log()).toContain('liveness and readiness cannot be served at 127.0.0.1:9099: it is in use');
    expect(agent.log()).toContain("ss -ltnp 'sport = :9099'");
  });

  it('says that it waits for Felix to end', async () => {
    const other = lab.hosts[1] as LabHost;
    await other.agent?.kill();
    const felix = join(other.folder, 'calico-felix');
    copyFileSync('/bin/sleep', felix);
    const running = spawn('ip', ['netns', 'exec', other.netns.name, felix, '60']);
    await vi.waitUntil(
      () => readFileSync(`/proc/${running.pid}/cmdline`, 'utf8').startsWith(felix),
      PATIENCE,
    );
    const agent = other.startAgent();
    await vi.waitUntil(() => agent.log().includes('serves the status'), PATIENCE);
    const waiting = await other.run([executable('calico'), 'node', 'status']);
    expect(waiting.exitCode).toBe(1);
    expect(waiting.stdout).toMatch(/not ready\n +nothing is begun: Felix runs on this host/);
    running.kill();
    await agent.ready;
    expect((await other.run([executable('calico'), 'node', 'status'])).exitCode).toBe(0);
  });
});
