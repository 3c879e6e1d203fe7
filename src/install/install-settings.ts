/** What Calico's installer takes from its environment, checked and with its defaults. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { shorten } from '../base/json-object.ts';

export interface InstallSettings {
  readonly places: Places;
  readonly confName: string;
  /** Name of a configuration that the new one replaces; `undefined` when it is the same. */
  readonly oldConfName: string | undefined;
  /** Of the configuration: permission bits. */
  readonly confMode: number;
  readonly template: TemplateSource;
  /** Folder with `etcd-ca`, `etcd-cert` and `etcd-key`. */
  readonly tlsFolder: string;
  /** Other plugins of the image that are not to be copied. */
  readonly skippedPlugins: readonly string[];
  /** Whether executables that are there already are replaced. */
  readonly replacesExecutables: boolean;
  /** Whether the installer stays, and keeps what it installed up to date. */
  readonly stays: boolean;
  readonly testsDatastore: boolean;
  readonly kubeconfig: KubeconfigSettings;
  /** What the placeholders of a template stand for, as far as the environment says. */
  readonly values: Readonly<Record<string, string>>;
}

/** Folders, as this process sees them unless said otherwise. */
export interface Places {
  /** Those of the container runtime's plugins; what is not writable is passed over. */
  readonly binFolders: readonly string[];
  readonly netFolder: string;
  /** {@link netFolder} as the host sees it: what configurations name. */
  readonly netFolderOnHost: string;
  /** Where the root of the host's files is, if that was said. */
  readonly hostRoot: string | undefined;
  /** Whether folders that do not exist are made: in a container, that they are missing means they are not mounted. */
  readonly makesFolders: boolean;
}

export type TemplateSource =
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'variable'; readonly text: string }
  | { readonly from: 'default' };

export interface KubeconfigSettings {
  readonly protocol: string;
  readonly host: string;
  readonly port: string;
  readonly skipsTlsVerify: boolean;
  /** Name of the account that the plugin uses. */
  readonly serviceAccount: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface InstallOptions {
  /** Where the host's files are; `undefined` in Calico's container, with its fixed folders. */
  readonly host: string | undefined;
  /** `calico install --no-test`. */
  readonly test: boolean;
  /** The machine's name. */
  readonly hostname: string;
}

const CONF_NAME = '10-calico.conflist';

/** Throws `config`, naming the variable and its value. */
export function installSettings(env: Environment, options: InstallOptions): InstallSettings {
  const netFolderOnHost = absolute(env, 'CNI_NET_DIR', '/etc/cni/net.d');
  const confName = fileName(env, 'CNI_CONF_NAME', CONF_NAME);
  const oldConfName = fileName(env, 'CNI_OLD_CONF_NAME', CONF_NAME);
  return {
    places: placesOf(options.host, netFolderOnHost),
    confName,
    oldConfName: oldConfName === confName ? undefined : oldConfName,
    confMode: mode(env, 'TEST_FILE_PERMISSION', 0o600),
    template: templateSource(env),
    tlsFolder: absolute(env, 'TLS_ASSETS_DIR', '/calico-secrets'),
    skippedPlugins: (env.SKIP_CNI_BINARIES ?? '').split(',').map((name) => name.trim()),
    replacesExecutables: flag(env, 'UPDATE_CNI_BINARIES', true),
    stays: flag(env, 'SLEEP', options.host === undefined),
    testsDatastore: options.test,
    kubeconfig: {
      protocol: env.KUBERNETES_SERVICE_PROTOCOL || 'https',
      host: env.KUBERNETES_SERVICE_HOST || '',
      port: env.KUBERNETES_SERVICE_PORT || '',
      skipsTlsVerify: flag(env, 'SKIP_TLS_VERIFY', false),
      serviceAccount: env.CALICO_CNI_SERVICE_ACCOUNT || 'calico-cni-plugin',
    },
    values: templateValues(env, options.hostname),
  };
}

function placesOf(host: string | undefined, netFolderOnHost: string): Places {
  if (host === undefined)
    return {
      binFolders: ['/host/opt/cni/bin', '/host/secondary-bin-dir'],
      netFolder: '/host/etc/cni/net.d',
      netFolderOnHost,
      hostRoot: undefined,
      makesFolders: false,
    };
  const root = host.replace(/\/+$/, '');
  return {
    binFolders: [`${root}/opt/cni/bin`],
    netFolder: root + netFolderOnHost,
    netFolderOnHost,
    hostRoot: host,
    makesFolders: true,
  };
}

/** The file wins over the text, as in Calico. */
function templateSource(env: Environment): TemplateSource {
  const path = env.CNI_NETWORK_CONFIG_FILE;
  if (path) return { from: 'file', path };
  const text = env.CNI_NETWORK_CONFIG;
  return text ? { from: 'variable', text } : { from: 'default' };
}

function templateValues(env: Environment, hostname: string): Readonly<Record<string, string>> {
  const or = (name: string, fallback: string) => env[name] || fallback;
  return {
    LOG_LEVEL: or('LOG_LEVEL', 'info'),
    LOG_FILE_PATH: or('LOG_FILE_PATH', '/var/log/calico/cni/cni.log'),
    LOG_FILE_MAX_SIZE: number(env, 'LOG_FILE_MAX_SIZE', '100'),
    LOG_FILE_MAX_AGE: number(env, 'LOG_FILE_MAX_AGE', '30'),
    LOG_FILE_MAX_COUNT: number(env, 'LOG_FILE_MAX_COUNT', '10'),
    // Calico's default is the Kubernetes datastore, which this plugin does not have.
    DATASTORE_TYPE: or('DATASTORE_TYPE', 'etcdv3'),
    KUBERNETES_NODE_NAME: or('KUBERNETES_NODE_NAME', hostname.toLowerCase()),
    CNI_MTU: number(env, 'CNI_MTU', '1500'),
    CALICO_API_GROUP: or('CALICO_API_GROUP', 'crd.projectcalico.org/v1'),
    REQUIRE_MTU_FILE: String(flag(env, 'REQUIRE_MTU_FILE', false)),
    KUBERNETES_SERVICE_HOST: or('KUBERNETES_SERVICE_HOST', ''),
    KUBERNETES_SERVICE_PORT: or('KUBERNETES_SERVICE_PORT', ''),
    ETCD_ENDPOINTS: or('ETCD_ENDPOINTS', ''),
    ETCD_DISCOVERY_SRV: or('ETCD_DISCOVERY_SRV', ''),
  };
}

function invalid(name: string, value: string, mustBe: string): CalicoError {
  return new CalicoError('config', `invalid ${name} ${JSON.stringify(shorten(value))}: it must be ${mustBe}`);
}

function absolute(env: Environment, name: string, fallback: string): string {
  const value = env[name] || fallback;
  if (!value.startsWith('/')) throw invalid(name, value, `an absolute path, such as ${fallback}`);
  return value.replace(/\/+$/, '');
}

/** It goes into a folder of the host: nothing but a name will do. */
function fileName(env: Environment, name: string, fallback: string): string {
  const value = env[name] || fallback;
  if (/^[A-Za-z0-9_.-]+$/.test(value) && !value.startsWith('.')) return value;
  throw invalid(name, value, `the name of a file, such as ${fallback}`);
}

function mode(env: Environment, name: string, fallback: number): number {
  const value = env[name];
  if (!value) return fallback;
  if (/^0?o?[0-7]{3}$/.test(value)) return Number.parseInt(value.slice(-3), 8);
  throw invalid(name, value, 'permissions in octal, such as 0600');
}

function number(env: Environment, name: string, fallback: string): string {
  const value = env[name] || fallback;
  if (/^\d{1,9}$/.test(value)) return value;
  throw invalid(name, value, 'a number');
}

/** What Go takes for a boolean. */
function flag(env: Environment, name: string, fallback: boolean): boolean {
  const value = env[name];
  if (!value) return fallback;
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw invalid(name, value, 'true or false');
}
