import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentDefaults } from '../../src/config/environment-defaults.ts';
import { parseNetConf } from '../../src/config/net-conf.ts';
import { REPOSITORY } from '../support/tools.ts';

const paths = globSync(join(REPOSITORY, 'cni-conf/*.conflist'));

describe('the conflists in cni-conf', () => {
  it('are there', () => {
    expect(paths).not.toEqual([]);
  });

  it.each(paths.map((path) => [basename(path), path]))('%s is accepted', (_, path) => {
    const { name, cniVersion, plugins } = JSON.parse(readFileSync(path, 'utf8'));
    // The runtime puts name and version of the list into the configuration of each plugin.
    const json = { ...plugins[0], name, cniVersion };
    const conf = parseNetConf({ text: JSON.stringify(json), json }, environmentDefaults({}));
    expect(conf).toMatchObject({
      name,
      type: 'calico',
      datastore: { type: 'etcdv3' },
      ipam: { type: 'calico-ipam' },
    });
  });
});
