/** The rules of the house, as data. Each says why it is there; the tests print that when it is broken. */

export interface RoomRule {
  /** Rooms, or single files of them, that it may import from, beside itself. */
  readonly values: readonly string[];
  /** Rooms it may import types from, beside those. */
  readonly types: readonly string[];
  /** Node.js modules it may use. */
  readonly builtins: readonly string[];
  readonly because: string;
}

/** What each room may know of the others. `src/main.ts` may know all, and no one may know it. */
export const ROOMS: Readonly<Record<string, RoomRule>> = {
  base: {
    values: [],
    types: [],
    builtins: ['node:fs', 'node:path', 'node:crypto', 'node:zlib'],
    because: 'everything stands on base, so base stands on nothing',
  },
  cni: {
    values: ['base'],
    types: [],
    builtins: ['node:fs', 'node:path'],
    because: 'the protocol is the same whatever a plugin does with it',
  },
  config: {
    values: ['base', 'cni'],
    types: ['datastore', 'network', 'workload', 'ipam', 'kubernetes'],
    builtins: ['node:fs', 'node:path', 'node:os'],
    because: 'configuration is parsed once into the types that the other rooms ask for, and decides nothing',
  },
  ipam: {
    values: ['base'],
    types: [],
    builtins: [],
    because: 'who gets which address is decided on values alone: no key, no etcd type, no clock, no file',
  },
  workload: {
    values: ['base'],
    types: ['ipam'],
    builtins: [],
    because: 'names and records of endpoints are computed, not looked up',
  },
  grpc: {
    values: ['base'],
    types: [],
    builtins: [],
    because: 'a call is a path, bytes and a time: what the messages mean is for those who send them',
  },
  datastore: {
    values: ['base', 'grpc', 'ipam/facts.ts', 'workload'],
    types: ['ipam'],
    builtins: ['node:fs', 'node:path'],
    because: 'it stores what ipam and workload describe, and knows no rule of addresses',
  },
  network: {
    values: ['base'],
    types: [],
    builtins: ['node:fs', 'node:path', 'node:os', 'node:timers/promises', 'node:util'],
    because: 'it brings the kernel to a plan it is handed, and asks no one else',
  },
  dataplane: {
    values: ['base', 'grpc'],
    types: ['network', 'workload'],
    builtins: [],
    because: 'it tells another program what a pod needs, and how that is made is not its business',
  },
  kubernetes: {
    values: ['base'],
    types: ['workload'],
    builtins: ['node:fs', 'node:path', 'node:crypto'],
    because: 'it reads what the API server says, and leaves the meaning to the plugins',
  },
  readiness: {
    values: ['base'],
    types: ['workload'],
    builtins: ['node:fs', 'node:path'],
    because: 'it asks others of the node whether they are ready, and leaves what follows to the plugins',
  },
  garbage: {
    values: ['base', 'ipam', 'workload', 'datastore'],
    types: [],
    builtins: [],
    because: 'what is left of a container is judged and given back in one way, whoever found that it is gone',
  },
  plugins: {
    values: [
      'base',
      'cni',
      'config',
      'ipam',
      'workload',
      'datastore',
      'garbage',
      'network',
      'dataplane',
      'kubernetes',
      'readiness',
    ],
    types: [],
    builtins: ['node:path'],
    because: 'a verb is a list of steps, and each step is made in a room: no bytes and no files here',
  },
  node: {
    values: ['base', 'config', 'ipam', 'workload', 'datastore', 'network', 'garbage'],
    types: [],
    builtins: ['node:fs', 'node:path', 'node:v8'],
    because:
      'the agent keeps a host as the datastore says: it reads one, writes the other, and serves no pod call',
  },
  install: {
    values: ['base', 'network/native.ts'],
    types: [],
    builtins: ['node:fs', 'node:path'],
    because: 'it puts files on a host; what their content leads to is for those who ask for them',
  },
  cli: {
    values: [
      'base',
      'cni',
      'config',
      'ipam',
      'workload',
      'datastore',
      'network',
      'node',
      'garbage',
      'kubernetes',
      'install',
      'plugins/require-ready.ts',
    ],
    types: [],
    builtins: ['node:fs', 'node:path', 'node:util', 'node:os'],
    because: 'an operator command is a list of steps too; the files are those that a person names',
  },
};

export interface Door {
  /** Paths, or folders that end in a slash. */
  readonly only: readonly string[];
  readonly because: string;
}

/** Packages and modules with a single way in. */
export const DOORS: Readonly<Record<string, Door>> = {
  'node:ffi': {
    only: ['src/network/native.ts'],
    because: 'it is experimental and unsafe: one small file to review, one to change with Node.js',
  },
  etcd3: {
    only: ['src/datastore/etcd/'],
    because: 'another etcd client, or another datastore, must be a matter of one folder',
  },
  'node:sqlite': {
    only: ['src/datastore/sqlite/'],
    because: 'the embedded datastore is a matter of one folder, and no one else has a database',
  },
  'ipaddr.js': {
    only: ['src/base/'],
    because: 'addresses are values of ours everywhere else, and there is one way to read and print them',
  },
  'node:process': { only: [], because: 'what the process is given enters through src/main.ts' },
};

/** Modules that own handles of the operating system as soon as they are evaluated, or cost much to load. */
export const LAZY_MODULES = {
  names: [
    'child_process',
    'cluster',
    'dgram',
    'dns',
    'ffi',
    'http',
    'http2',
    'https',
    'net',
    'sqlite',
    'tls',
  ].map((name) => `node:${name}`),
  because:
    'a startup snapshot cannot hold them, and most calls need none: reach them with getBuiltinModule()',
};

/** The only uses of the global `process` outside `src/main.ts`. */
export const PROCESS_MEMBERS: Readonly<Record<string, string>> = {
  getBuiltinModule: 'how a module is loaded when it is needed',
  abort: 'a thread that is stuck in a pod’s network namespace must do nothing any more',
};

/** Rooms and files that take time, chance and the world as arguments. */
export const PURE = {
  rooms: ['ipam', 'workload', 'garbage'],
  /** What the paths of single files and folders begin with. */
  paths: [
    'src/node/apply-changes.ts',
    'src/node/cluster.ts',
    'src/node/decode-',
    'src/node/desired/',
    'src/node/felix-settings.ts',
    'src/node/finding.ts',
    'src/node/garbage/cached-result.ts',
    'src/node/garbage/decide-',
    'src/node/garbage/garbage-settings.ts',
    'src/node/garbage/judge-containers.ts',
    'src/node/garbage/removed-nodes.ts',
    'src/node/garbage/suspicion.ts',
    'src/node/host-facts.ts',
    'src/node/host-route.ts',
    'src/node/health/',
    'src/node/metrics/address-gauges.ts',
    'src/node/metrics/agent-gauges.ts',
    'src/node/metrics/format-metrics.ts',
    'src/node/metrics/metric-family.ts',
    'src/node/reconcile/',
    'src/node/record-key.ts',
    'src/node/same-value.ts',
    'src/node/serve/pages.ts',
    'src/node/status/',
    'src/node/table-draft.ts',
    'src/node/tunnel-mac.ts',
  ],
  forbidden: {
    'Date.now()': /\bDate\.now\b/,
    'new Date()': /\bnew Date\(\)/,
    'Math.random()': /\bMath\.random\b/,
    performance: /\bperformance\./,
    'a timer': /\bset(?:Timeout|Interval|Immediate)\b/,
    console: /\bconsole\./,
    crypto: /\bcrypto\./,
    fetch: /\bfetch\(/,
  },
  because: 'a function of its arguments can be tested with a table and run again after a lost race',
} as const;

/** File names that say nothing of what is inside. */
export const EMPTY_NAMES = {
  pattern: /^(?:utils?|helpers?|common|misc|shared|index|types|constants|lib|manager|service)\.ts$/,
  because: 'a file is named for the one noun or verb it holds',
};

/** Documents of other projects that comments may cite by name. */
export const FOREIGN_DOCUMENTS: readonly string[] = ['SPEC.md', 'CONVENTIONS.md'];

/** Longest file, in lines. */
export const MAX_LINES = { count: 300, because: 'a longer file holds more than one idea' };
