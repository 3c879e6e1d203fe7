/** The calls of the CRI that kubelet makes, made by a test: gRPC on the unix socket of a container runtime. */

import { join } from 'node:path';
import { credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { BUSYBOX_IMAGE } from './busybox-image.ts';
import { REPOSITORY } from './tools.ts';

/** What a test says of a pod. */
export interface PodSandbox {
  readonly name: string;
  readonly namespace?: string;
  /** Of the pod; without it, one made of the name. */
  readonly uid?: string;
  /** How often kubelet made a sandbox of this pod before. */
  readonly attempt?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly hostPort: number; readonly containerPort: number }[];
}

export interface PodSandboxStatus {
  readonly state: string;
  /** All its addresses; none before the network is there. */
  readonly ips: readonly string[];
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Ends of sandboxes and containers are idempotent, as kubelet needs them. IDs are containerd's. */
export interface Cri {
  /** Whether the runtime and its network say that they are ready. */
  isReady(): Promise<boolean>;
  runPodSandbox(pod: PodSandbox): Promise<string>;
  podSandboxStatus(id: string): Promise<PodSandboxStatus>;
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  /** All sandboxes, whoever made them; kubelet removes those it has stopped within a minute or two. */
  listPodSandboxes(): Promise<readonly { readonly id: string; readonly state: string }[]>;
  /** Creates and starts a container of busybox in the sandbox of this pod. */
  runContainer(sandboxId: string, pod: PodSandbox, command: readonly string[]): Promise<string>;
  /** Runs a command in a container to its end, whatever its exit code is. */
  exec(containerId: string, command: readonly string[]): Promise<ExecResult>;
  close(): void;
}

const TIMEOUT_MS = 60_000;

type Call = (method: string, request: object) => Promise<Message>;

/** What a call answers, as the protocol buffers define it; fields in camelCase, enums as their names. */
// biome-ignore lint/suspicious/noExplicitAny: the types of the messages are known to cri.proto alone
type Message = any;

/** `cgroupParent`: the control group that sandboxes and containers are made in. */
export function connectCri(socketPath: string, cgroupParent: string): Cri {
  const { call, close } = connect(socketPath);
  const sandboxConfig = (pod: PodSandbox): object => toSandboxConfig(pod, cgroupParent);
  return {
    isReady: async () => {
      const { status } = await call('Status', {});
      return status.conditions.every((condition: Message) => condition.status);
    },
    runPodSandbox: async (pod) => (await call('RunPodSandbox', { config: sandboxConfig(pod) })).podSandboxId,
    podSandboxStatus: async (podSandboxId) => {
      const { status } = await call('PodSandboxStatus', { podSandboxId });
      const { ip = '', additionalIps = [] } = status.network ?? {};
      const more = additionalIps.map((additional: Message) => additional.ip);
      return { state: status.state, ips: ip === '' ? [] : [ip, ...more] };
    },
    stopPodSandbox: async (podSandboxId) => void (await call('StopPodSandbox', { podSandboxId })),
    removePodSandbox: async (podSandboxId) => void (await call('RemovePodSandbox', { podSandboxId })),
    listPodSandboxes: async () =>
      (await call('ListPodSandbox', {})).items.map(({ id, state }: Message) => ({ id, state })),
    runContainer: async (podSandboxId, pod, command) => {
      const config = toContainerConfig(command);
      const request = { podSandboxId, config, sandboxConfig: sandboxConfig(pod) };
      const { containerId } = await call('CreateContainer', request);
      await call('StartContainer', { containerId });
      return containerId;
    },
    exec: async (containerId, cmd) => {
      const { stdout, stderr, exitCode } = await call('ExecSync', { containerId, cmd, timeout: 30 });
      return { stdout: String(stdout), stderr: String(stderr), exitCode };
    },
    close,
  };
}

function connect(socketPath: string): { readonly call: Call; readonly close: () => void } {
  const definition = loadSync(join(REPOSITORY, '.tools/cri.proto'), {
    longs: String,
    enums: String,
    defaults: true,
  });
  const packages: Message = loadPackageDefinition(definition);
  const client = new packages.runtime.v1.RuntimeService(`unix://${socketPath}`, credentials.createInsecure());
  const call: Call = (method, request) =>
    new Promise((resolve, reject) => {
      const answer = (error: ServiceError | null, response: Message): void =>
        error === null ? resolve(response) : reject(new Error(`${method}: ${error.details}`));
      client[method](request, { deadline: Date.now() + TIMEOUT_MS }, answer);
    });
  return { call, close: () => client.close() };
}

/** As kubelet fills it in for a pod. */
function toSandboxConfig(pod: PodSandbox, cgroupParent: string): object {
  const {
    name,
    namespace = 'default',
    uid = `uid-of-${name}`,
    attempt = 0,
    annotations = {},
    ports = [],
  } = pod;
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: name,
    labels: {
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': namespace,
      'io.kubernetes.pod.uid': uid,
    },
    annotations,
    portMappings: ports,
    linux: { cgroupParent },
  };
}

function toContainerConfig(command: readonly string[]): object {
  return {
    metadata: { name: 'main', attempt: 0 },
    image: { image: BUSYBOX_IMAGE },
    command,
    linux: { securityContext: { namespaceOptions: {} } },
  };
}
