/** Every key of the configuration with every type that it must not have. */

import { expect, it } from 'vitest';
import { describeOnNode, expectRefusal, expectWords, refusedAll, SECRET } from '../../support/refusals.ts';
import { succeeded } from '../../support/simulated-node.ts';
import { nested, type WireKey, wireKeys } from '../../support/wire-keys.ts';

const VALUES: readonly (readonly [type: string, value: unknown])[] = [
  ['string', SECRET],
  ['number', 1500],
  ['fraction', 0.5],
  ['boolean', true],
  ['list', ['x', 5]],
  ['object', { x: 1 }],
];
const RIGHT: Readonly<Record<WireKey['type'], readonly string[]>> = {
  string: ['string'],
  integer: ['number'],
  boolean: ['boolean'],
  list: [],
  object: ['object'],
};
/** A credential may be in a text; others are shown, since that is what is wrong with them. */
const IS_SECRET = /token|_key/;

function wrongValues({ type, shown }: WireKey): readonly unknown[] {
  const wrong = VALUES.filter(([name]) => !RIGHT[type].includes(name));
  const shownTexts = (value: unknown) => (value === SECRET && !IS_SECRET.test(shown) ? '1500' : value);
  return wrong.map(([, value]) => shownTexts(value));
}

const keys = wireKeys();

describeOnNode('wrong types', (given) => {
  it('are tried on every key that Calico documents', () => {
    expect(keys.map(({ shown }) => shown)).toEqual(
      expect.arrayContaining([
        'mtu',
        'ipam.ipv4_pools[0]',
        'policy.k8s_auth_token',
        'runtimeConfig.dns.servers',
      ]),
    );
    expect(keys.flatMap(wrongValues).length).toBeGreaterThan(350);
  });

  it.each(keys)('$shown as anything but a(n) $type: ADD changes nothing', async (key) => {
    const { node, pod } = given();
    // These two are read before the configuration is: in them the key alone is named.
    const code = key.shown === 'name' || key.shown === 'cniVersion' ? 6 : 7;
    const calls = wrongValues(key).map((value) => ({
      containerId: 'abcd',
      netns: pod.path,
      stdin: JSON.stringify({ ...node.conf(), ...Object(nested(key.path, value)) }),
    }));
    for (const answer of await refusedAll(node, 'ADD', calls)) {
      expectWords(answer, code, new RegExp(`${key.shown.replace(/[[\]".]/g, '.')}.* must be .*, found`));
    }
  });

  const outermost = keys.filter(({ path }) => path.length === 1);

  it.each(outermost)('$shown as anything but a(n) $type: DEL takes the link away', async (key) => {
    const { node, pod } = given();
    const sandbox = { containerId: 'abcd', netns: pod.path };
    succeeded(await node.cni('ADD', sandbox));
    const stdin = JSON.stringify({ ...node.conf(), ...Object(nested(key.path, wrongValues(key)[0])) });
    const answer = await node.cni('DEL', { ...sandbox, stdin });
    expectRefusal(answer);
    const isReadable = key.shown !== 'name' && key.shown !== 'cniVersion';
    if (isReadable) expect(pod.sh('ip -o link')).not.toContain('eth0');
    succeeded(await node.cni('DEL', sandbox));
    expect(pod.sh('ip -o link')).not.toContain('eth0');
  });
});
