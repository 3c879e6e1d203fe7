/** Settings of the environment that Felix takes before all others, FELIX_…, by the names of a FelixConfiguration. Pure. */

import type { SettingFields } from './cluster.ts';

/** Those that matter here. */
const NAMES = [
  ...[
    'vxlanVNI',
    'vxlanPort',
    'vxlanMTU',
    'vxlanMTUV6',
    'ipipMTU',
    'mtuIfacePattern',
    'vxlanEnabled',
    'ipipEnabled',
  ],
  ...['programClusterRoutes', 'deviceRouteSourceAddress', 'deviceRouteSourceAddressIPv6', 'ipForwarding'],
  ...['natPortRange', 'natOutgoingAddress', 'natOutgoingExclusions', 'iptablesNATOutgoingInterfaceFilter'],
  'interfacePrefix',
  'featureDetectOverride',
  ...['prometheusMetricsEnabled', 'prometheusMetricsHost', 'prometheusMetricsPort'],
  ...['healthEnabled', 'healthHost', 'healthPort'],
];

type Environment = Readonly<Record<string, string | undefined>>;

/** Whatever the case of the variables. Numbers and booleans become such; an empty variable counts as absent. */
export function felixEnvironment(env: Environment): SettingFields {
  const given = new Map(Object.entries(env).map(([name, value]) => [name.toLowerCase(), value?.trim()]));
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = given.get(`felix_${name.toLowerCase()}`);
      return value ? [[name, typed(value)]] : [];
    }),
  );
}

function typed(text: string): string | number | boolean {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}
