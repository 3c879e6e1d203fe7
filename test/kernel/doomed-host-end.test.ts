import { beforeEach, describe, expect, it } from 'vitest';
import { seeHostEnd } from '../../src/plugins/calico/doomed-host-end.ts';
import { makeLab, whyNoNetns } from '../support/netns.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

const NAMES = { usual: 'cali1', alternative: 'calialt' };

describe('seeHostEnd()', () => {
  it.each(['cali1', 'calialt'])('removes %s, which was there before the records were read', async (name) => {
    using lab = makeLab();
    lab.host.sh(`ip link add ${name} type veth peer name peer1`);
    const hostEnd = seeHostEnd(NAMES);

    expect(await hostEnd.remove(name)).toBeUndefined();
    expect(await hostEnd.remove(name)).toBeUndefined();

    expect(lab.host.sh('ip -br link')).not.toContain(name);
  });

  it('leaves what the next sandbox of the pod has by that name since', async () => {
    using lab = makeLab();
    lab.host.sh('ip link add cali1 type veth peer name peer1');
    const sawFormer = seeHostEnd(NAMES);
    lab.host.sh('ip link del cali1');
    const sawNothing = seeHostEnd(NAMES);
    lab.host.sh('ip link add cali1 type veth peer name peer2');

    expect(await sawFormer.remove('cali1')).toBeUndefined();
    expect(await sawNothing.remove('cali1')).toBeUndefined();

    expect(lab.host.sh('ip -br link')).toContain('cali1');
  });

  it('removes one whose name only the endpoint tells', async () => {
    using lab = makeLab();
    const hostEnd = seeHostEnd(NAMES);
    lab.host.sh('ip link add tap1 type veth peer name peer1');

    expect(await hostEnd.remove('tap1')).toBeUndefined();

    expect(lab.host.sh('ip -br link')).not.toContain('tap1');
  });
});
