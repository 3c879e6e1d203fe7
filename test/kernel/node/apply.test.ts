import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../src/base/mac-address.ts';
import type { NetlinkMessage } from '../../../src/network/netlink/header.ts';
import { listenToKernel, ROUTE_GROUPS } from '../../../src/network/netlink/listen.ts';
import { type NetlinkSocket, openNetlinkSocket } from '../../../src/network/netlink/socket.ts';
import type { HostRoute } from '../../../src/node/host-route.ts';
import { applySteps } from '../../../src/node/kernel/apply.ts';
import { outdatedBy } from '../../../src/node/kernel/notice.ts';
import { createObserver } from '../../../src/node/kernel/observe.ts';
import type { HostStep } from '../../../src/node/reconcile/host-step.ts';
import { realClock } from '../../support/clock.ts';
import { type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { makeLoneHost, until } from './fabric.ts';

const ROUTE: HostRoute = {
  destination: parseCidr('10.77.101.80/28'),
  table: 254,
  metric: 0,
  protocol: 202,
  type: 'unicast',
  device: 'eth0',
  gateway: parseIpAddress('10.50.0.12'),
  isOnLink: true,
  scope: 'global',
  mtu: undefined,
  source: undefined,
};
const BLACKHOLE: HostRoute = {
  ...ROUTE,
  destination: parseCidr('10.77.180.112/28'),
  type: 'blackhole',
  device: undefined,
  gateway: undefined,
  isOnLink: false,
};

describe.skipIf(whyNoNetns() !== undefined)('a host', () => {
  let stack: DisposableStack;
  let host: TestNetns;
  let socket: NetlinkSocket;

  beforeEach(() => {
    stack = new DisposableStack();
    host = makeLoneHost(stack, '10.50.0.11/24', '2001:db8:50::11/64');
    socket = stack.use(openNetlinkSocket());
  });
  afterEach(() => stack.dispose());

  it('is seen with the routes and devices that were put there', () => {
    const observer = createObserver(socket);
    const parent = observer.look().facts.links.find(({ name }) => name === 'eth0');
    const device = {
      ...{ name: 'vxlan.calico', vni: 4096, port: 4789, mtu: 1450 },
      mac: parseMacAddress('66:f9:37:c3:7e:94'),
      local: parseIpAddress('10.50.0.11'),
      parent: { name: 'eth0', ifIndex: parent?.ifIndex ?? 0 },
      address: { address: parseIpAddress('10.77.180.112'), prefixLength: 32 },
      isOffloadBroken: true,
    };
    const neighbour = {
      device: 'vxlan.calico',
      address: parseIpAddress('10.77.161.192'),
      mac: parseMacAddress('66:a4:6f:e0:c4:da'),
    };
    const entry = { device: 'vxlan.calico', mac: neighbour.mac, remote: parseIpAddress('10.60.0.13') };
    const tunnelled: HostRoute = {
      ...ROUTE,
      ...{ destination: parseCidr('10.77.161.192/28'), device: 'vxlan.calico', gateway: neighbour.address },
      mtu: 1450,
    };
    const v6: HostRoute = {
      ...ROUTE,
      ...{ destination: parseCidr('fd00:77:0:2::/122'), gateway: parseIpAddress('2001:db8:50::12') },
      metric: 1024,
    };
    const blackhole6: HostRoute = { ...BLACKHOLE, destination: parseCidr('fd00:77::/122'), metric: 1024 };
    const routes = [tunnelled, ROUTE, BLACKHOLE, v6, blackhole6];

    const failures = applySteps(socket, [
      { do: 'create-vxlan', device },
      { do: 'stop-offload', device: device.name },
      { do: 'add-address', device: device.name, network: device.address },
      { do: 'set-up', device: device.name },
      { do: 'replace-fdb', entry },
      { do: 'replace-neighbour', neighbour },
      ...routes.map((route): HostStep => ({ do: 'replace-route', route })),
    ]);

    expect(failures).toEqual([]);
    observer.outdate(['links', 'neighbours', 'fdb', 'routes']);
    const { observed } = observer.look();
    expect(observed.links).toMatchObject([
      {
        ...{ name: device.name, kind: 'vxlan', mac: device.mac, mtu: 1450, isUp: true },
        offloadsChecksums: false,
        vxlan: {
          ...{ vni: 4096, port: 4789, local: device.local, parentIfIndex: parent?.ifIndex },
          ...{ isLearning: false, hasForeignFlags: false },
        },
      },
    ]);
    expect(observed.addresses).toContainEqual({
      device: device.name,
      network: device.address,
      scope: 'global',
    });
    expect(observed.neighbours).toEqual([neighbour]);
    expect(observed.fdb).toEqual([entry]);
    const key = ({ destination }: HostRoute) => String(destination.base);
    const sorted = (list: readonly HostRoute[]) => list.toSorted((a, b) => key(a).localeCompare(key(b)));
    expect(sorted(observed.routes.filter(({ protocol }) => protocol === 202))).toEqual(sorted(routes));
  });

  it('gets the other steps when some fail, and each failure says what and why', () => {
    const failures = applySteps(socket, [
      { do: 'write-sysctl', sysctl: { key: 'net/ipv4/no_such', value: '1', onFailure: 'fail' } },
      { do: 'write-sysctl', sysctl: { key: 'net/ipv4/no_such', value: '1', onFailure: 'warn' } },
      { do: 'set-up', device: 'gone' },
      { do: 'replace-route', route: { ...ROUTE, gateway: parseIpAddress('192.0.2.1'), isOnLink: false } },
      { do: 'create-ipip', device: 'tunl0' },
      { do: 'replace-route', route: ROUTE },
      { do: 'delete-route', route: BLACKHOLE },
      { do: 'delete-link', device: 'gone', ifIndex: 4711 },
      { do: 'replace-route', route: BLACKHOLE },
    ]);

    expect(failures.map(({ error }) => error.message)).toEqual([
      // Which of them may stay as they are, the round knows.
      expect.stringMatching(/^failed: sysctl -w net\/ipv4\/no_such=1: ENOENT/),
      expect.stringMatching(/^failed: sysctl -w net\/ipv4\/no_such=1: ENOENT/),
      'failed: ip link set gone up: there is no interface gone',
      expect.stringMatching(
        /^failed: ip route replace 10\.77\.101\.80\/28 via 192\.0\.2\.1 .*: ENETUNREACH.*the kernel says: Nexthop has invalid gateway$/,
      ),
      ...(host.sh('ip -o link show tunl0 2>/dev/null || true') === ''
        ? [expect.stringMatching(/^failed: modprobe ipip: RTM_NEWLINK: ENOTSUP/)]
        : []),
    ]);
    expect(host.sh('ip route show proto 202')).toBe(
      '10.77.101.80/28 via 10.50.0.12 dev eth0 onlink \nblackhole 10.77.180.112/28',
    );
  });

  it('loses a route only by its own protocol number', () => {
    host.sh('ip route add 10.77.101.80/28 via 10.50.0.12 dev eth0 onlink proto bird');

    expect(applySteps(socket, [{ do: 'delete-route', route: ROUTE }])).toEqual([]);

    expect(host.sh('ip route show 10.77.101.80/28')).toContain('proto bird');
  });

  it('takes more steps at once than acknowledgements fit in a socket', () => {
    const routes = Array.from({ length: 3000 }, (_, n): HostStep => {
      const destination = parseCidr(`10.${80 + (n >> 8)}.${n & 255}.0/26`);
      return { do: 'replace-route', route: { ...ROUTE, destination } };
    });

    expect(applySteps(socket, routes)).toEqual([]);
    expect(host.sh('ip route show proto 202 | wc -l')).toBe('3000');
  });

  it('loses a device with all that it has: whatever of it is told first, links are read as well', async () => {
    host.sh(`
      ip link add vxlan.calico type vxlan id 4096 local 10.50.0.11 dev eth0 dstport 4789 nolearning
      ip address add 10.77.180.112/32 dev vxlan.calico
      ip link set vxlan.calico up
      bridge fdb add 66:a4:6f:e0:c4:da dev vxlan.calico dst 10.60.0.13 self permanent
      ip neigh add 10.77.161.192 lladdr 66:a4:6f:e0:c4:da dev vxlan.calico nud permanent
      ip -6 route add fd00:77:0:2::/122 dev vxlan.calico proto 202
    `);
    const observer = createObserver(socket);
    observer.look();
    const told: NetlinkMessage[] = [];
    const onMessages = (messages: readonly NetlinkMessage[]) => void told.push(...messages);
    const groups = Object.values(ROUTE_GROUPS);
    stack.use(listenToKernel({ of: 'route', groups, onMessages, onLost: () => undefined }));

    host.sh('ip link del vxlan.calico');

    const meanings = () => told.map((message) => outdatedBy(message, observer.ours(), 0));
    await until('all of it', () => meanings().some((parts) => parts.length === 4));
    const first = meanings().filter((parts) => parts.length > 0);
    expect(first.length).toBeGreaterThan(1);
    expect(first.filter((parts) => !parts.includes('links') && !parts.includes('switches'))).toEqual([]);
  });

  it('tells of changes, and says when it could not tell all', async () => {
    let told = 0;
    let lost = 0;
    const isAbout = (payload: Buffer) => payload.includes(Buffer.from([192, 0, 2, 0]));
    const onMessages = (messages: readonly NetlinkMessage[]) => {
      told += messages.filter(({ payload }) => isAbout(payload)).length;
    };
    const groups = Object.values(ROUTE_GROUPS);
    const listener = stack.use(
      listenToKernel({ of: 'route', groups, onMessages, onLost: () => (lost += 1) }),
    );
    host.sh('ip route add blackhole 192.0.2.0/24');
    await until('the notice', () => told === 1);

    // More notices than four megabytes hold, while this process does not read.
    host.sh(`
      for n in $(seq 0 255); do
        for m in $(seq 0 255); do echo "route replace blackhole 10.$n.$m.0/24"; done
      done | ip -batch -
    `);
    await until('the loss', () => lost > 0);
    // Until all that waits is read the kernel drops more, and does not say so again.
    const before = told;
    host.sh('ip route del blackhole 192.0.2.0/24');
    await until('one notice more', () => told > before);
    listener.close();
    await realClock.sleep(20);
    const end = told;
    host.sh('ip route add blackhole 192.0.2.0/24');
    await realClock.sleep(50);
    expect(told).toBe(end);
  });
});
