/**
 * Variables of the caller's environment that would change the JavaScript runtime inside the executable, and so what a
 * root process reads, writes or trusts. They are kubelet's or its caller's affair, never the plugin's. Pure.
 */

/** Read by the runtime before our first line runs: only a new start without them undoes what they did. */
const READ_AT_START = [
  'NODE_CHANNEL_FD',
  'NODE_COMPILE_CACHE',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_EXTRA_CA_CERTS',
  'NODE_V8_COVERAGE',
];

/** Read by a library when it is first used. */
const READ_LATER = /^(?:NODE|GRPC)_/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the program must be started again, without them. An empty variable has no effect. */
export function needsCleanStart(env: Environment): boolean {
  return READ_AT_START.some((name) => Boolean(env[name]));
}

/** The environment without all of them. */
export function withoutRuntimeVariables(env: Environment): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !READ_LATER.test(name));
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
