/** What a runtime hands over: configuration, environment, results; and what other plugins answer. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/base/calico-error.ts';
import { parseArgs } from '../../src/cni/args.ts';
import { validAttachments } from '../../src/cni/attachments.ts';
import { CNI_VARIABLES, readEnvironment } from '../../src/cni/environment.ts';
import { formatError } from '../../src/cni/error.ts';
import { decodeNetConf } from '../../src/cni/net-conf-bytes.ts';
import { parsePrevResult, parseResult } from '../../src/cni/parse-result.ts';
import { formatResult } from '../../src/cni/result-versions.ts';
import { compareVersions, SUPPORTED_VERSIONS } from '../../src/cni/version.ts';
import { withPoolRequest } from '../../src/config/calico-ipam-conf.ts';
import { connectionSources } from '../../src/config/connection-sources.ts';
import { environmentDefaults } from '../../src/config/environment-defaults.ts';
import { podCidrWords, withPodCidrs } from '../../src/config/host-local-conf.ts';
import { parseNetConf } from '../../src/config/net-conf.ts';
import { storeSettings } from '../../src/config/store-settings.ts';
import { addressesOf, requirePrevResult, sandboxInterface } from '../../src/plugins/prev-result.ts';
import { isRefusal, survives } from '../support/fuzz.ts';
import { mangledBytes, mangledJson, mangledText } from '../support/mangled.ts';

const CONF = {
  cniVersion: '1.0.0',
  name: 'k8s-pod-network',
  type: 'calico',
  etcd_endpoints: 'https://10.0.0.1:2379,https://[fd00::1]:2379',
  etcd_key_file: '/k.pem',
  etcd_cert_file: '/c.pem',
  nodename: 'node1',
  mtu: 1440,
  num_queues: 2,
  device_type: 'netkit',
  log_level: 'debug',
  log_file_max_size: 5,
  ipam: {
    type: 'calico-ipam',
    assign_ipv6: 'true',
    ipv4_pools: ['10.9.0.0/16'],
    routes: [{ dst: '0.0.0.0/0' }],
  },
  policy: { type: 'k8s', k8s_api_root: 'https://10.96.0.1/api/v1/', k8s_auth_token: 'secret' },
  kubernetes: { kubeconfig: '/kubeconfig', node_name: 'n' },
  feature_control: { ip_addrs_no_ipam: true, floating_ips: false },
  container_settings: { allow_ip_forwarding: true },
  dataplane_options: { type: 'grpc', socket: 'unix:///run/x.sock', other: 'x' },
  readiness_gates: ['http://localhost:9099/readiness'],
  policy_setup_timeout_seconds: 3,
  runtimeConfig: { dns: { servers: ['10.0.0.10'], domain: 'x', searches: ['x'], options: ['ndots:5'] } },
  args: {
    'org.apache.mesos': { network_info: { name: 'n', labels: { labels: [{ key: 'a', value: 'b' }] } } },
  },
};
const HOST_LOCAL = {
  ...CONF,
  ipam: {
    type: 'host-local',
    subnet: 'usePodCidr',
    ranges: [[{ subnet: 'usePodCidrIPv6', rangeStart: '10.9.0.1' }]],
    routes: [{ dst: 'usePodCidr' }],
  },
};
const RESULT = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', mac: 'aa:bb:cc:dd:ee:ff', sandbox: '/run/netns/x', mtu: 1440, pciID: '0' }],
  ips: [
    { address: '10.9.0.1/32', gateway: '169.254.1.1', interface: 0 },
    { version: '6', address: 'fd00::1/128' },
  ],
  routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1', mtu: 1, advmss: 2, priority: 3, table: 4, scope: 5 }],
  dns: { nameservers: ['10.0.0.10'], domain: 'x', search: ['x'], options: ['x'] },
};
const OLD_RESULT = {
  cniVersion: '0.2.0',
  ip4: { ip: '10.9.0.1/32', gateway: '169.254.1.1', routes: [{ dst: '0.0.0.0/0' }] },
  ip6: { ip: 'fd00::1/128' },
};
const DEFAULTS = environmentDefaults({});

describe('a configuration', () => {
  const texts = mangledJson([
    CONF,
    HOST_LOCAL,
    { ...CONF, datastore_type: 'embedded', datastore_path: '/x.db' },
  ]);

  it.each(['strict', 'lenient'] as const)('is taken or refused, read in a %s way', (rigor) => {
    survives(texts, (text) => {
      const conf = parseNetConf(decodeNetConf(text), DEFAULTS, rigor);
      connectionSources(conf.kubernetes, DEFAULTS);
      return storeSettings(conf.datastore);
    });
  });

  it('is never quoted with its secrets', () => {
    const samples = [CONF, { ...CONF, policy: { k8s_auth_token: 'secret' } }];
    survives(mangledJson(samples), (text) => {
      try {
        parseNetConf(decodeNetConf(text), DEFAULTS);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const shown = formatError(error, '1.0.0');
        if (shown.includes('secret') && !isElsewhere(text)) throw new Error(`quotes it: ${shown}`);
      }
    });
  });

  it('is taken or refused as bytes', () => {
    const bytes = mangledBytes([
      Buffer.from(JSON.stringify(CONF)),
      Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
    ]);
    survives(bytes, (stdin) => decodeNetConf(new TextDecoder().decode(stdin)));
  });

  it('is edited for other plugins, or refused', () => {
    const request = { ipv4Pools: ['10.0.0.0/8'], ipv6Pools: undefined, families: [4 as const] };
    survives(texts, (text) => {
      const source = decodeNetConf(text);
      JSON.parse(withPoolRequest(source, request));
      const cidrs = { ipv4: '10.1.0.0/24', ipv6: 'fd00::/80' };
      return JSON.parse(withPodCidrs(text, podCidrWords(source.json), cidrs));
    });
  });

  it('has a list of attachments, or is refused', () => {
    const attachments = { 'cni.dev/valid-attachments': [{ containerID: 'abc', ifname: 'eth0' }] };
    survives(mangledJson([attachments, { 'cni.dev/attachments': [] }]), (text) =>
      validAttachments(decodeNetConf(text.replace('{', '{"name":"net1",')).json),
    );
  });

  it('has a version that can be compared, or none', () => {
    survives(mangledText(['1.0.0', '0.3.1', '0.4']), (version) => {
      expect(Number.isNaN(compareVersions(version, '0.4.0'))).toBe(false);
    });
  });
});

describe('a result', () => {
  it('is read from what another plugin printed, and printed in every version, or refused', () => {
    survives(mangledJson([RESULT, OLD_RESULT]), (text) => {
      const result = parseResult(parseOr(text, {}), '1.0.0');
      for (const version of SUPPORTED_VERSIONS.slice(2)) formatResult(result, version);
      return formatResult(result, '0.2.0');
    });
  });

  it('is read from a configuration, or refused', () => {
    const texts = mangledJson(
      [RESULT, OLD_RESULT].map((prevResult) => ({ name: 'net1', cniVersion: '1.0.0', prevResult })),
    );
    survives(texts, (text) => {
      const conf = decodeNetConf(text);
      parsePrevResult(conf);
      const result = requirePrevResult(conf);
      addressesOf(result, 'eth0');
      return sandboxInterface(result, 'eth0');
    });
  });
});

describe('an environment', () => {
  const value = mangledText([
    'ADD',
    'abc',
    'eth0',
    '/run/netns/x',
    '/opt/cni/bin:/usr/bin',
    '1',
    'IP=10.9.0.1',
  ]);

  it('has the variables of CNI, or is refused', () => {
    const names = CNI_VARIABLES.map(({ name }) => name);
    const command = fc.constantFrom('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION', 'UPDATE', '');
    const environments = fc.tuple(command, fc.dictionary(fc.constantFrom(...names), value));
    survives(environments, ([CNI_COMMAND, env]) => readEnvironment({ CNI_COMMAND, ...env }));
  });

  it('has arguments, or is refused', () => {
    const args = [
      'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=1;IP=10.9.0.1',
      'IgnoreUnknown=0;FOO=BAR',
      '',
    ];
    survives(mangledText(args), parseArgs);
  });

  it('has defaults that a configuration can go without', () => {
    const names = [
      ...['DATASTORE_TYPE', 'ETCD_ENDPOINTS', 'ETCD_DISCOVERY_SRV', 'ETCD_USERNAME', 'ETCD_PASSWORD'],
      ...['KUBECONFIG', 'K8S_API_ENDPOINT', 'K8S_INSECURE_SKIP_TLS_VERIFY', 'KUBERNETES_SERVICE_HOST'],
    ];
    const odd = mangledText(['etcdv3', 'http://10.0.0.1:2379', 'example.com', 'true']);
    const conf = decodeNetConf('{"name":"net1"}');
    survives(fc.dictionary(fc.constantFrom(...names), odd), (env) => {
      const defaults = environmentDefaults(env);
      const { kubernetes, datastore } = parseNetConf(conf, defaults);
      return [connectionSources(kubernetes, defaults), storeSettings(datastore)];
    });
  });
});

/** Whether the secret stands where nobody keeps one. */
function isElsewhere(text: string): boolean {
  const conf = parseOr(text, undefined);
  const policy = typeof conf === 'object' && conf !== null && 'policy' in conf ? conf.policy : undefined;
  return (
    JSON.stringify({ ...(conf as object), policy: undefined })?.includes('secret') ||
    typeof policy !== 'object'
  );
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return errorText(error) === '' ? undefined : otherwise;
  }
}
