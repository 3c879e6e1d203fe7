import { describe, expect, it } from 'vitest';
import { type ConfFacts, confWarnings } from '../../../src/install/conf-warnings.ts';
import { renderConf } from '../../../src/install/render-conf.ts';

const rendered = renderConf('{"plugins":[{"type":"calico"},{"type":"portmap"}]}', {}, 'x');
const GOOD: ConfFacts = {
  confName: '10-calico.conflist',
  rendered,
  otherNames: ['10-calico.conflist', '87-podman.conflist', '00-readme.txt', 'calico-kubeconfig'],
  programs: ['calico', 'calico-ipam', 'portmap'],
};

describe('confWarnings()', () => {
  it('has nothing to say when all is well', () => {
    expect(confWarnings(GOOD)).toEqual([]);
  });

  it.each([
    [{ otherNames: ['05-cilium.conflist'] }, 'the runtime takes the first file by name'],
    [{ programs: ['calico'] }, 'chains the plugin portmap, which is not beside calico'],
    [{ confName: '10-calico.txt', otherNames: [] }, 'it should end in .conflist'],
  ])('warns of %j', (changes, expected) => {
    expect(confWarnings({ ...GOOD, ...changes })).toEqual([expect.stringContaining(expected)]);
  });
});
