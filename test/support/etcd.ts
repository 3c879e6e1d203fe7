/**
 * A private etcd for one test file: a free port, a temporary directory, no fsync, gone with the process that
 * started it. It may live in another network namespace: tests then reach it through its unix socket.
 */

import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEtcd, type EtcdData } from './etcd-data.ts';
import { freePort } from './free-port.ts';
import { pauseProcess } from './pause.ts';
import { requireTool, toolPath } from './tools.ts';

export interface Etcd extends EtcdData {
  /** `http://127.0.0.1:PORT`, or `https` with TLS, reachable inside the network namespace it was started in. */
  readonly endpoint: string;
  /** Its working directory: data and sockets; gone after {@link Etcd.stop}. */
  readonly directory: string;
  /** Stops answering without closing connections, as a stuck server does. */
  pause(): void;
  /** Goes on after {@link Etcd.pause}. */
  resume(): void;
  /** Ends the process at once; what it has answered is still there after {@link Etcd.restart}. */
  crash(): Promise<void>;
  /** Starts it again, and returns when it serves. */
  restart(): Promise<void>;
  /** Ends the process at once and removes its directory. */
  stop(): Promise<void>;
}

export interface EtcdOptions {
  /** Name of a network namespace (`ip netns`) to run in; without it, the test's own. */
  readonly netns?: string;
  /** What it listens on; without it 127.0.0.1. */
  readonly address?: string;
  /** Client port; without it a free one, or 2379 in another namespace. */
  readonly port?: number;
  /** Serves TLS with these PEM files, to clients with a certificate of the CA. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

type EtcdProcess = ChildProcessByStdio<null, null, Readable>;

const START_TIMEOUT_MS = 20_000;
/** Relative to the working directory: etcd wants host:port even of a unix socket. */
const CLIENT_SOCKET = 'client:0';
const PEER_SOCKET = 'peer:0';

/** Starts etcd and returns when it serves. Always `stop()` it, in `afterAll`. */
export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  const port = options.port ?? (options.netns === undefined ? await freePort() : 2379);
  const endpoint = `${options.tls === undefined ? 'http' : 'https'}://${options.address ?? '127.0.0.1'}:${port}`;
  const directory = mkdtempSync(join(tmpdir(), 'etcd-'));
  const data = connectEtcd(join(directory, CLIENT_SOCKET));
  let child = spawnEtcd(directory, endpoint, options);
  const crash = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await exited;
    // What has been killed leaves its sockets, and etcd does not take over those that are there.
    for (const socket of [CLIENT_SOCKET, PEER_SOCKET]) rmSync(join(directory, socket), { force: true });
  };
  const stop = async (): Promise<void> => {
    await crash();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await untilHealthy(child, data);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...data,
    endpoint,
    directory,
    pause: () => {
      if (child.pid !== undefined) pauseProcess(child.pid);
    },
    resume: () => void child.kill('SIGCONT'),
    crash,
    restart: async () => {
      await crash();
      child = spawnEtcd(directory, endpoint, options);
      await untilHealthy(child, data);
    },
    stop,
  };
}

function spawnEtcd(directory: string, endpoint: string, { netns, tls }: EtcdOptions): EtcdProcess {
  const etcd = requireTool('etcd');
  const command = [
    ...(netns === undefined ? [] : ['ip', 'netns', 'exec', netns]),
    ...['setpriv', '--pdeathsig', 'KILL'],
    ...[etcd, ...noFsync(etcd), ...etcdArguments(endpoint), ...tlsArguments(tls)],
  ];
  const [program = '', ...args] = command;
  const env = { ...process.env, PATH: toolPath() };
  return spawn(program, args, { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
}

function etcdArguments(endpoint: string): readonly string[] {
  return [
    ...['--name', 'test', '--data-dir', 'data', '--logger', 'zap', '--log-outputs', 'stderr'],
    ...['--listen-client-urls', `${endpoint},unix://${CLIENT_SOCKET}`, '--advertise-client-urls', endpoint],
    ...['--listen-peer-urls', `unix://${PEER_SOCKET}`, '--initial-advertise-peer-urls', 'http://127.0.0.1:1'],
    ...['--initial-cluster', 'test=http://127.0.0.1:1'],
    // It serves once it has elected itself, and need not wait for others.
    ...['--heartbeat-interval', '10', '--election-timeout', '100'],
  ];
}

function tlsArguments(tls: EtcdOptions['tls']): readonly string[] {
  if (tls === undefined) return [];
  return ['--client-cert-auth', '--trusted-ca-file', tls.ca, '--cert-file', tls.cert, '--key-file', tls.key];
}

/** `--unsafe-no-fsync`, where this etcd knows it: tests measure our code, not the disk. */
function noFsync(etcd: string): readonly string[] {
  try {
    execFileSync(etcd, ['--unsafe-no-fsync', '--version'], { stdio: 'ignore' });
    return ['--unsafe-no-fsync'];
  } catch {
    return [];
  }
}

/** Asks for its health until it is well. Drains its log meanwhile and ever after, lest etcd blocks on the pipe. */
async function untilHealthy(child: EtcdProcess, data: EtcdData): Promise<void> {
  const stopAsking = new AbortController();
  const log: string[] = [];
  child.stderr.on('data', (chunk) => log.push(String(chunk)));
  const ended = new Promise<never>((_, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`etcd did not start: ${why}\n${log.join('').slice(-2000)}`));
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) => fail(`ended with ${signal ?? code}`));
    AbortSignal.timeout(START_TIMEOUT_MS).onabort = () => fail(`no answer for ${START_TIMEOUT_MS} ms`);
  });
  try {
    await Promise.race([ended, askUntilHealthy(data, stopAsking.signal)]);
  } finally {
    stopAsking.abort();
    child.stderr.removeAllListeners('data').resume();
  }
}

async function askUntilHealthy(data: EtcdData, stopAsking: AbortSignal): Promise<void> {
  while (!stopAsking.aborted && !(await data.isHealthy())) await sleep(20);
}
