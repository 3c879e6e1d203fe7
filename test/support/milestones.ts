/**
 * The steps of a plugin that count: what it asks the kernel to change or tells etcd. They are numbered by kind, since
 * their place among all system calls is not the same in every run: two writes to etcd may become one.
 */

const KINDS = {
  'netlink request': /^write\(\d+<NETLINK/,
  'request to etcd': /^write\(\d+<TCP.*:method/,
  'write to /proc/sys': /^write\(\d+<\/proc\/sys/,
  'change of namespace': /^setns\(/,
  'lock of the node': /^flock\(/,
  connection: /^connect\(/,
  answer: /^write\(1</,
} as const;

export type MilestoneKind = keyof typeof KINDS;

export interface Milestone {
  readonly kind: MilestoneKind;
  /** From 1, of its kind in one run. */
  readonly nth: number;
}

/** What a system call is, as strace shows it; `undefined` for all the others. */
export function kindOf(text: string): MilestoneKind | undefined {
  const kinds = Object.keys(KINDS) as MilestoneKind[];
  return kinds.find((kind) => KINDS[kind].test(text));
}

/** The milestone that the last of these lines is: those of one run, or at least those of one system call. */
export function lastMilestone(lines: readonly string[]): Milestone | undefined {
  const kind = kindOf(lines.at(-1) ?? '');
  if (kind === undefined) return undefined;
  return { kind, nth: lines.filter((line) => kindOf(line) === kind).length };
}
