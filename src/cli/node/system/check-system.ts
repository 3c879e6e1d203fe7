/** What a host lacks for the agent and the plugin, in words that say what to do. Pure. */

import type { KernelTrials, Switch, SystemFacts } from './system-facts.ts';

export interface SystemCheck {
  readonly name: string;
  /** `failed`: pods get no network without it; `warning`: some do not, or somebody should know. */
  readonly verdict: 'ok' | 'warning' | 'failed';
  /** What was found. */
  readonly found: string;
  /** What to do, unless all is well. */
  readonly advice?: string;
}

type Verdict = Omit<SystemCheck, 'name'>;

const OLDEST_KERNEL = [4, 18] as const;
/** IPv6 needs links of this size, tunnelled or not. */
const LEAST_MTU = 1_280;
const CONNTRACK_LIMIT = 0.8;
const STRICT = 1;

export function checkSystem(facts: SystemFacts): readonly SystemCheck[] {
  const { trials } = facts;
  const named = (name: string, verdict: Verdict): SystemCheck => ({ name, ...verdict });
  return [
    named('kernel', checkKernel(facts)),
    named('permissions', checkPermissions(facts)),
    ...(typeof trials === 'string' ? [named('kernel features', untried(trials))] : checkTrials(trials)),
    named('forwarding', checkForwarding(facts)),
    named('rp_filter', checkRpFilter(facts)),
    named('UDP port', checkPort(facts)),
    named('other agents', checkAgents(facts)),
    ...facts.folders.map(({ path, refusal }) => named(path, checkFolder(path, refusal))),
    named('MTU', checkMtu(facts)),
    named('connection tracking', checkConntrack(facts)),
    named('NetworkManager', checkNetworkManager(facts)),
    named('firewalld', checkFirewalld(facts)),
  ];
}

function ok(found: string): Verdict {
  return { verdict: 'ok', found };
}

function warning(found: string, advice: string): Verdict {
  return { verdict: 'warning', found, advice };
}

function failed(found: string, advice: string): Verdict {
  return { verdict: 'failed', found, advice };
}

function checkKernel({ kernelRelease }: SystemFacts): Verdict {
  const [major = 0, minor = 0] = kernelRelease.split(/[.-]/).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_KERNEL;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return failed(kernelRelease, `Linux ${OLDEST_KERNEL.join('.')} or newer is needed`);
  return ok(kernelRelease);
}

function checkPermissions({ capabilities }: SystemFacts): Verdict {
  const missing = [
    ...(capabilities.netAdmin ? [] : ['CAP_NET_ADMIN']),
    ...(capabilities.sysAdmin ? [] : ['CAP_SYS_ADMIN']),
  ];
  if (missing.length === 0) return ok('CAP_NET_ADMIN, CAP_SYS_ADMIN');
  return failed(`${missing.join(' and ')} missing`, 'run it as root, in a container with privileged: true');
}

function untried(why: string): Verdict {
  return failed(`not tried: ${why}`, 'run this command as root on the host itself');
}

function checkTrials(trials: KernelTrials): readonly SystemCheck[] {
  const works = 'tried in a network namespace of its own: it works';
  const check = (
    name: string,
    why: string | undefined,
    otherwise: (why: string) => Verdict,
  ): SystemCheck => ({
    name,
    ...(why === undefined ? ok(works) : otherwise(why)),
  });
  return [
    check('veth', trials.veth, (why) => failed(why, 'pods need the kernel module veth')),
    check('VXLAN', trials.vxlan, (why) =>
      warning(why, 'install the kernel module vxlan, or have no pool with a vxlanMode but Never'),
    ),
    check('IPIP', trials.ipip, (why) =>
      warning(why, 'only pools with an ipipMode need the kernel module ipip'),
    ),
    check('nftables', trials.nat, (why) =>
      failed(why, 'without it pods of pools with natOutgoing reach nothing outside of the pools'),
    ),
    check('nftables IPv6', trials.natIpv6, (why) => warning(why, 'only IPv6 pools with natOutgoing need it')),
  ];
}

function checkForwarding({ switches }: SystemFacts): Verdict {
  const { value, isWritable }: Switch = switches.get('net/ipv4/ip_forward') ?? {
    value: undefined,
    isWritable: false,
  };
  if (value === '1') return ok('net.ipv4.ip_forward is 1');
  if (isWritable) return ok(`net.ipv4.ip_forward is ${value}; the agent sets it`);
  return failed(
    `net.ipv4.ip_forward is ${value ?? 'missing'} and cannot be changed`,
    'mount /proc/sys writable (privileged: true), or set it with sysctl -w net.ipv4.ip_forward=1',
  );
}

function checkRpFilter({ switches, parents }: SystemFacts): Verdict {
  const all = Number(switches.get('net/ipv4/conf/all/rp_filter')?.value ?? 0);
  const strict = parents.filter(({ rpFilter }) => Math.max(all, rpFilter) === STRICT).map(({ name }) => name);
  if (strict.length === 0) return ok(`net.ipv4.conf.all.rp_filter is ${all}, and no interface is strict`);
  return warning(
    `strict on ${strict.join(', ')}`,
    'packets that come another way than answers go are dropped, as with CrossSubnet between nodes whose subnet masks ' +
      'differ: set net.ipv4.conf.all.rp_filter to 2 (loose) in /etc/sysctl.d',
  );
}

function checkPort({ vxlanPort }: SystemFacts): Verdict {
  const { number, usedBy } = vxlanPort;
  if (usedBy.is === 'nobody') return ok(`${number} is free`);
  if (usedBy.is === 'device' && usedBy.name.endsWith('.calico'))
    return ok(`${number} is that of ${usedBy.name}`);
  if (usedBy.is === 'device')
    return warning(
      `${number} is that of the VXLAN device ${usedBy.name}`,
      'two devices can share it if their VNIs differ: ours is 4096, or vxlanVNI of FelixConfiguration',
    );
  return failed(
    `${number} is used by another program`,
    `find it with ss -lunp 'sport = :${number}' and stop it, or set vxlanPort in FelixConfiguration, the same for all nodes`,
  );
}

function checkAgents({ runs }: SystemFacts): Verdict {
  if (runs.felix)
    return failed(
      'Felix runs on this host',
      'stop calico-node, or do not start this agent: both would keep the same routes',
    );
  if (runs.bird)
    return warning(
      'BIRD runs on this host',
      'it may go on with the routes that programClusterRoutes leaves to it',
    );
  return ok('no Felix, no BIRD');
}

function checkFolder(path: string, refusal: string | undefined): Verdict {
  if (refusal === undefined) return ok('can be written to');
  const isOptional = path === '/var/log/calico';
  return (isOptional ? warning : failed)(refusal, 'make it, or mount it from the host, writable');
}

function checkMtu({ parents }: SystemFacts): Verdict {
  const up = parents.filter(({ isUp }) => isUp);
  if (up.length === 0)
    return warning(
      'no interface that is up is known to lead to other hosts',
      'their MTU is then taken to be 1460: set mtuIfacePattern in FelixConfiguration to the names of yours',
    );
  const named = up.map(({ name, mtu }) => `${name} ${mtu}`).join(', ');
  const least = Math.min(...up.map(({ mtu }) => mtu));
  if (least < LEAST_MTU)
    return warning(
      named,
      `less than ${LEAST_MTU} bytes are too few for IPv6: raise the MTU of the interface`,
    );
  if (up.some(({ mtu }) => mtu !== least))
    return warning(
      named,
      `pods get the smallest, ${least}: leave interfaces out with mtuIfacePattern if that is too small`,
    );
  return ok(named);
}

function checkConntrack({ conntrack }: SystemFacts): Verdict {
  if (conntrack === undefined) return ok('not in use yet');
  const { used, most } = conntrack;
  const found = `${used} of ${most} entries`;
  if (used < most * CONNTRACK_LIMIT) return ok(found);
  return warning(found, 'when it is full new connections are dropped: raise net.netfilter.nf_conntrack_max');
}

function checkNetworkManager({ runs, isUnmanaged }: SystemFacts): Verdict {
  if (!runs.networkManager) return ok('does not run');
  if (isUnmanaged) return ok('leaves cali* alone');
  return warning(
    'runs, and may change our interfaces',
    'write to /etc/NetworkManager/conf.d/calico.conf: [keyfile] unmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;interface-name:vxlan-v6.calico',
  );
}

function checkFirewalld({ runs }: SystemFacts): Verdict {
  if (!runs.firewalld) return ok('does not run');
  return warning(
    'runs, and may drop packets of pods',
    'stop it, or put the pools and the interfaces cali* into its zone trusted',
  );
}
