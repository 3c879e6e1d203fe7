import { describe, expect, it } from 'vitest';
import { decodeNetConf } from '../../../src/cni/net-conf-bytes.ts';
import { environmentDefaults } from '../../../src/config/environment-defaults.ts';
import { parseNetConf } from '../../../src/config/net-conf.ts';
import { DEFAULT_TEMPLATE } from '../../../src/install/default-template.ts';
import { installSettings } from '../../../src/install/install-settings.ts';
import { netConfOf, renderConf } from '../../../src/install/render-conf.ts';

const render = (template: string, values: Readonly<Record<string, string>> = {}) =>
  renderConf(template, values, 'the template');

/** All values that an installation without TLS and without a pod has. */
function allValues(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { values } = installSettings(env, { host: '/', test: true, hostname: 'node1' });
  const own = { ETCD_CA_CERT_FILE: '', ETCD_CERT_FILE: '', ETCD_KEY_FILE: '', SERVICEACCOUNT_TOKEN: '' };
  return { ...values, ...own, KUBECONFIG_FILEPATH: '/etc/cni/net.d/calico-kubeconfig' };
}

describe('renderConf()', () => {
  it('puts values in place of all placeholders, also those without quotation marks', () => {
    const { text } = render('{"type":"x","a":"__LOG_LEVEL__-__LOG_LEVEL__","mtu":__CNI_MTU__}', {
      LOG_LEVEL: 'info',
      CNI_MTU: '1440',
    });
    expect(JSON.parse(text)).toEqual({ type: 'x', a: 'info-info', mtu: 1440 });
  });

  it('keeps a value one value, whatever is in it', () => {
    const value = 'a"b\\c\n$& __CNI_MTU__';
    expect(render('{"a":"__LOG_LEVEL__"}', { LOG_LEVEL: value, CNI_MTU: '1' }).json).toEqual({ a: value });
  });

  it.each([
    ['{"a":"__NO_SUCH_THING__"}', {}, /the template: nothing is known to put in place of __NO_SUCH_THING__/],
    [
      '{"a":"__SERVICEACCOUNT_TOKEN__"}',
      { SERVICEACCOUNT_TOKEN: '' },
      /no value for __SERVICEACCOUNT_TOKEN__/,
    ],
    ['{"a":"__KUBERNETES_SERVICE_HOST__"}', { KUBERNETES_SERVICE_HOST: '' }, /no value for/],
    ['{"a":"__ETCD_ENDPOINTS__"}', { ETCD_ENDPOINTS: '', DATASTORE_TYPE: 'etcdv3' }, /no value for/],
    ['{"a":', {}, /is not JSON once its placeholders are replaced/],
    ['[1]', {}, /it must be a JSON object/],
    ['{"plugins":{}}', {}, /plugins must be a list of objects/],
    ['{"plugins":[1]}', {}, /plugins must be a list of objects/],
  ])('refuses %s', (template, values, message) => {
    expect(() => render(template, values)).toThrow(message);
  });

  it.each([
    { ETCD_ENDPOINTS: '', DATASTORE_TYPE: 'etcdv3', ETCD_DISCOVERY_SRV: 'example.com' },
    { ETCD_ENDPOINTS: '', DATASTORE_TYPE: 'embedded' },
  ])('needs no endpoints with %j', (values) => {
    expect(render('{"a":"__ETCD_ENDPOINTS__"}', values).json).toEqual({ a: '' });
  });

  it('does not show a token that it could not read', () => {
    const broken = () =>
      render('{"token":"__SERVICEACCOUNT_TOKEN__" oops}', { SERVICEACCOUNT_TOKEN: 's3cret' });
    expect(broken).toThrow(/is not JSON/);
    expect(broken).not.toThrow(/s3cret/);
  });
});

describe('netConfOf()', () => {
  it('is what the runtime hands to the plugin, of a list and of a single one', () => {
    const list = render(
      '{"name":"n","cniVersion":"1.0.0","plugins":[{"type":"a"},{"type":"calico","mtu":5}]}',
    );
    const expected = { name: 'n', cniVersion: '1.0.0', type: 'calico', mtu: 5 };
    expect(netConfOf(list, 'calico')).toEqual(expected);
    expect(netConfOf(render(JSON.stringify(expected)), 'calico')).toEqual(expected);
    expect(netConfOf(list, 'b')).toBeUndefined();
  });
});

describe('the default template', () => {
  it.each([
    [
      'etcd',
      { ETCD_ENDPOINTS: 'http://10.0.0.1:2379' },
      { type: 'etcdv3', endpoints: ['http://10.0.0.1:2379'] },
    ],
    ['etcd by DNS', { ETCD_DISCOVERY_SRV: 'example.com' }, { type: 'etcdv3', discoverySrv: 'example.com' }],
    ['the embedded datastore', { DATASTORE_TYPE: 'embedded' }, { type: 'embedded' }],
  ])('becomes a configuration that the plugin understands: %s', (_name, env, datastore) => {
    const plugin = netConfOf(render(DEFAULT_TEMPLATE, allValues(env)), 'calico');
    const { text, json } = decodeNetConf(JSON.stringify(plugin));
    expect(parseNetConf({ text, json }, environmentDefaults({}))).toMatchObject({
      datastore,
      node: { nodename: 'node1' },
      mtu: 1500,
      policyType: 'k8s',
      log: { filePath: '/var/log/calico/cni/cni.log', fileMaxCount: 10 },
      kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
    });
  });

  it('chains portmap and bandwidth', () => {
    const { plugins } = render(DEFAULT_TEMPLATE, allValues({ DATASTORE_TYPE: 'embedded' }));
    expect(plugins.map(({ type }) => type)).toEqual(['calico', 'portmap', 'bandwidth']);
  });
});
