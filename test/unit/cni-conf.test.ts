import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/base/json-object.ts';
import { decodeNetConf } from '../../src/cni/net-conf-bytes.ts';
import { SUPPORTED_VERSIONS } from '../../src/cni/version.ts';
import type { CalicoConf } from '../../src/config/calico-conf.ts';
import { environmentDefaults } from '../../src/config/environment-defaults.ts';
import { parseNetConf } from '../../src/config/net-conf.ts';
import { REPOSITORY } from '../support/tools.ts';

interface Conflist {
  readonly name: string;
  readonly cniVersion: string;
  readonly plugins: readonly JsonObject[];
}

const FOLDER = join(REPOSITORY, 'cni-conf');
const names = globSync(join(FOLDER, '*.conflist')).map((path) => basename(path));

function read(name: string): Conflist {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

/** As the runtime hands it to the plugin: with name and version of the list. */
function mainPlugin(name: string): JsonObject {
  const { plugins, ...list } = read(name);
  return { ...plugins[0], name: list.name, cniVersion: list.cniVersion };
}

function parse(json: JsonObject): CalicoConf {
  return parseNetConf(decodeNetConf(JSON.stringify(json)), environmentDefaults({}));
}

/** The configuration once for each of its keys, with a value of a type that the key cannot have. */
function spoilt(json: JsonObject, path = ''): readonly (readonly [path: string, spoilt: JsonObject])[] {
  return Object.entries(json).flatMap(([key, value]) => {
    const here: readonly [string, JsonObject] = [
      `${path}${key}`,
      { ...json, [key]: isJsonObject(value) ? 5 : {} },
    ];
    if (!isJsonObject(value)) return [here];
    const inside = spoilt(value, `${path}${key}.`).map(
      ([at, member]) => [at, { ...json, [key]: member }] as const,
    );
    return [here, ...inside];
  });
}

const PORTMAP = { type: 'portmap', snat: true, capabilities: { portMappings: true } };
const BANDWIDTH = { type: 'bandwidth', capabilities: { bandwidth: true } };

describe('the conflists in cni-conf', () => {
  it('are those that README.md there describes', () => {
    const described = readFileSync(join(FOLDER, 'README.md'), 'utf8').matchAll(/^\| `(.+?)`/gm);
    expect([...described].map(([, name]) => name).toSorted()).toEqual(names.toSorted());
  });

  it.each(names)('%s is accepted, and its main plugin is ours with our IPAM', (name) => {
    expect(parse(mainPlugin(name))).toMatchObject({
      name: read(name).name,
      type: 'calico',
      ipam: { type: 'calico-ipam' },
    });
  });

  it.each(names)('%s has a version that we speak', (name) => {
    expect(SUPPORTED_VERSIONS).toContain(read(name).cniVersion);
  });

  it.each(
    names.flatMap((name) => spoilt(mainPlugin(name)).map(([path, json]) => [name, path, json] as const)),
  )('%s: %s is a key that we know', (_, path, json) => {
    expect(() => parse(json)).toThrow(`${path} must be`);
  });
});

describe('10-calico.conflist', () => {
  const { cniVersion, plugins } = read('10-calico.conflist');

  it('is for a node of Kubernetes, with etcd over TLS', () => {
    expect(parse(mainPlugin('10-calico.conflist'))).toMatchObject({
      datastore: {
        type: 'etcdv3',
        endpoints: ['https://127.0.0.1:2379'],
        caCertFile: '/etc/cni/net.d/calico-tls/etcd-ca',
        certFile: '/etc/cni/net.d/calico-tls/etcd-cert',
        keyFile: '/etc/cni/net.d/calico-tls/etcd-key',
      },
      node: { nodename: undefined, nodenameFileOptional: false },
      mtu: 1500,
      policyType: 'k8s',
      kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
    });
  });

  it('chains portmap and bandwidth, in a version that all of them speak', () => {
    expect(plugins.slice(1)).toEqual([PORTMAP, BANDWIDTH]);
    expect(cniVersion).toBe('1.0.0');
  });
});

describe('10-calico-single-node.conflist', () => {
  const { cniVersion, plugins } = read('10-calico-single-node.conflist');

  it('needs neither etcd nor Kubernetes nor calico/node', () => {
    expect(parse(mainPlugin('10-calico-single-node.conflist'))).toMatchObject({
      datastore: { type: 'embedded', path: '/var/lib/calico/embedded.db' },
      node: { nodename: undefined, nodenameFileOptional: true },
      policyType: undefined,
      kubernetes: { kubeconfig: undefined },
    });
  });

  it('chains portmap and bandwidth, in a version that all of them speak', () => {
    expect(plugins.slice(1)).toEqual([PORTMAP, BANDWIDTH]);
    expect(cniVersion).toBe('1.0.0');
  });
});

describe('10-calico-embedded.conflist', () => {
  it('is the one that the README tries with cnitool, whose network is called calico', () => {
    const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
    expect(readme).toContain('cni-conf/10-calico-embedded.conflist /etc/cni/net.d/');
    expect(readme).toContain(`cnitool add ${read('10-calico-embedded.conflist').name} `);
  });

  it('has no plugin but ours, and needs nothing beside it', () => {
    expect(read('10-calico-embedded.conflist').plugins).toHaveLength(1);
    expect(parse(mainPlugin('10-calico-embedded.conflist'))).toMatchObject({
      datastore: { type: 'embedded' },
      node: { nodename: undefined, nodenameFileOptional: true },
    });
  });
});

describe('10-calico-local.conflist', () => {
  it('has no plugin but ours, on an etcd without TLS', () => {
    expect(read('10-calico-local.conflist').plugins).toHaveLength(1);
    expect(parse(mainPlugin('10-calico-local.conflist'))).toMatchObject({
      datastore: { type: 'etcdv3', endpoints: ['http://127.0.0.1:2379'], caCertFile: undefined },
      node: { nodename: 'node1', nodenameFileOptional: true },
    });
  });
});
