import { describe, expect, it } from 'vitest';
import { planUninstall, type UninstallFacts } from '../../../src/install/plan-uninstall.ts';

const FACTS: UninstallFacts = {
  places: {
    binFolders: ['/bin'],
    netFolder: '/net',
    netFolderOnHost: '/net',
    hostRoot: '/',
    makesFolders: true,
  },
  confName: '10-calico.conflist',
  conf: '{"plugins":[{"type":"calico"}]}',
  ownExecutables: ['/bin/calico', '/bin/calico-ipam'],
  foreignExecutables: [],
};
const removed = (changes: Partial<UninstallFacts>) =>
  planUninstall({ ...FACTS, ...changes }).removed.map(({ path }) => path);

describe('planUninstall()', () => {
  it('removes the configuration first, so that no pod is begun any more', () => {
    expect(removed({})).toEqual([
      '/net/10-calico.conflist',
      '/net/calico-kubeconfig',
      '/net/calico-tls',
      '/bin/calico',
      '/bin/calico-ipam',
      '/bin/calico-lib',
    ]);
  });

  it('leaves executables that are not this one, and what they need', () => {
    const { removed, left } = planUninstall({
      ...FACTS,
      ownExecutables: [],
      foreignExecutables: ['/bin/calico'],
    });
    expect(removed.map(({ path }) => path)).not.toContain('/bin/calico');
    expect(removed.map(({ path }) => path)).not.toContain('/bin/calico-lib');
    expect(left).toEqual([expect.stringContaining('/bin/calico: it is not this program')]);
  });

  it.each(['{"plugins":[{"type":"cilium-cni"}]}', '{"type":"flannel"}', 'no JSON', '{"plugins":5}'])(
    'leaves the configuration of others alone: %s',
    (conf) => {
      expect(removed({ conf })).toEqual(['/bin/calico', '/bin/calico-ipam', '/bin/calico-lib']);
    },
  );
});
