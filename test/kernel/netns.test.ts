import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { findLink } from '../../src/network/find-link.ts';
import { openNetlinkSocket } from '../../src/network/netlink/socket.ts';
import { inNetns, isSameNetns, openNetns, openNetnsIfPresent, ownNetns } from '../../src/network/netns.ts';
import { makeLab, whyNoNetns } from '../support/netns.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

const here = () => readlinkSync('/proc/thread-self/ns/net');

describe('openNetns()', () => {
  it.each([
    ['/var/run/netns/no-such', 'failed to Statfs "/var/run/netns/no-such": no such file or directory'],
    ['/dev', 'unknown FS magic on "/dev": '],
  ])('refuses %s', (path, message) => {
    expect(() => openNetns(path)).toThrow(expect.objectContaining({ kind: 'netns' }));
    expect(() => openNetns(path)).toThrow(message);
  });
});

describe('openNetnsIfPresent()', () => {
  it('tells a path that is gone from one that is no namespace', () => {
    expect(openNetnsIfPresent('/var/run/netns/no-such')).toBeUndefined();
    expect(() => openNetnsIfPresent('/dev')).toThrow('unknown FS magic');
  });
});

describe('isSameNetns()', () => {
  it('compares namespaces, not paths', () => {
    using lab = makeLab();
    using own = ownNetns();
    using host = openNetns(lab.host.path);
    using pod = openNetns(lab.pod.path);

    expect(isSameNetns(own, host)).toBe(true);
    expect(isSameNetns(own, pod)).toBe(false);
  });
});

describe('inNetns()', () => {
  it('runs inside and comes back', () => {
    using lab = makeLab();
    using pod = openNetns(lab.pod.path);
    const outside = here();

    const inside = inNetns(pod, here);

    expect(inside).not.toBe(outside);
    expect(here()).toBe(outside);
  });

  it('comes back after an error, also from a namespace within a namespace', () => {
    using lab = makeLab();
    using host = openNetns(lab.host.path);
    using pod = openNetns(lab.pod.path);
    const outside = here();
    const fail = () => {
      throw new Error('inside');
    };

    expect(() => inNetns(pod, () => inNetns(host, fail))).toThrow('inside');

    expect(here()).toBe(outside);
  });

  it('leaves no file open', () => {
    using lab = makeLab();
    using pod = openNetns(lab.pod.path);
    const before = readdirSync('/proc/self/fd').length;

    for (let n = 0; n < 100; n++) inNetns(pod, here);

    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('a netlink socket', () => {
  it('stays in the namespace it was opened in, while /proc/sys/net follows the thread', () => {
    using lab = makeLab();
    using pod = openNetns(lab.pod.path);
    lab.pod.sh('echo 0 > /proc/sys/net/ipv4/ip_forward');
    const readForwarding = () => readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim();

    using socket = inNetns(pod, openNetlinkSocket);

    expect(findLink(socket, 'lo')?.name).toBe('lo');
    expect(findLink(socket, 'uplink')).toBeUndefined();
    expect(readForwarding()).toBe('1');
    expect(inNetns(pod, readForwarding)).toBe('0');
  });

  it('tells the errors of several changes apart, in order', () => {
    using _lab = makeLab();
    using socket = openNetlinkSocket();
    const missing = { name: 'RTM_DELLINK', type: 17, flags: 0, payload: Buffer.alloc(16, 0x7f) };
    const unknown = { name: 'RTM_?', type: 999, flags: 0, payload: Buffer.alloc(16) };

    const codes = socket.changeAll([missing, unknown, missing]).map((outcome) => outcome?.code);

    expect(codes).toHaveLength(3);
    expect(codes[0]).toBe(codes[2]);
    expect(codes[1]).toBe('ENOTSUP');
  });
});
