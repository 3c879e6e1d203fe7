/** `calico install` and `calico uninstall`: what the container install-cni of Calico does, and how to undo it. */

import { hostname } from 'node:os';
import { Command } from 'commander';
import { type InstallSettings, installSettings } from '../install/install-settings.ts';
import type { CommandWorld } from './command-world.ts';
import { type Installed, installOnce } from './install-once.ts';
import { fingerprint, keepInstalled } from './keep-installed.ts';
import { uninstall } from './uninstall.ts';

interface InstallFlags {
  readonly host?: string;
  readonly dryRun?: boolean;
  /** commander's form of `--no-test`. */
  readonly test: boolean;
}

const HOST: readonly [flag: string, text: string] = [
  '--host <folder>',
  "root of the host's files, / on the node itself (default: the container's mounts below /host)",
];

export function installCommand(world: CommandWorld): Command {
  return new Command('install')
    .summary('install the plugin and its configuration on a node')
    .description(
      'Puts the executables, the etcd certificates, the kubeconfig and, last, the network configuration on a node, as the container install-cni of Calico does and by the same environment variables. Everything is looked at and the datastore is asked before anything is written; files are replaced whole; what is there already is left alone.',
    )
    .option(...HOST)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--no-test', 'do not ask the datastore first: for a cluster that does not have one yet')
    .addHelpText('after', VARIABLES)
    .action(async (flags: InstallFlags) => {
      const settings = settingsOf(flags, world);
      const isDryRun = flags.dryRun === true;
      const madeFrom = fingerprint(settings);
      const done = await installOnce({ settings, isDryRun, renewsToken: false }, world);
      await report(done, isDryRun, world);
      if (!isDryRun && settings.stays)
        await keepInstalled(settings, done, madeFrom, world, (line) => world.writeStdout(`${line}\n`));
    });
}

export function uninstallCommand(world: CommandWorld): Command {
  return new Command('uninstall')
    .summary('remove the plugin and its configuration from a node')
    .description(
      'Removes what `calico install` puts on a node, the network configuration first. Executables that are not this very one are left alone. Pods that run keep their network, and cannot be removed any more: drain the node before.',
    )
    .option(...HOST)
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (flags: InstallFlags) => {
      const { removed, left } = await uninstall(
        settingsOf({ ...flags, test: false }, world),
        flags.dryRun === true,
        world,
      );
      await world.writeStdout([...removed, ...left.map((line) => `left    ${line}`)].map(toLine).join(''));
    });
}

function settingsOf({ host, test }: InstallFlags, world: CommandWorld): InstallSettings {
  return installSettings(world.env, { host, test, hostname: hostname() });
}

async function report(
  { changes, warnings }: Installed,
  isDryRun: boolean,
  world: CommandWorld,
): Promise<void> {
  await world.writeStderr(warnings.map((warning) => toLine(`Warning: ${warning}`)).join(''));
  const nothing = isDryRun ? 'nothing would change' : 'everything is in place already: nothing has changed';
  await world.writeStdout((changes.length === 0 ? [nothing] : changes).map(toLine).join(''));
}

function toLine(text: string): string {
  return `${text}\n`;
}

const VARIABLES = `
Environment, as in Calico's manifests:
  CNI_NETWORK_CONFIG_FILE, CNI_NETWORK_CONFIG  template of the configuration, as a file or as it is (default: one for etcd)
  CNI_CONF_NAME, CNI_OLD_CONF_NAME             its file, and one that it replaces (10-calico.conflist)
  CNI_NET_DIR                                  folder of configurations on the host (/etc/cni/net.d)
  TLS_ASSETS_DIR                               folder with etcd-ca, etcd-cert and etcd-key (/calico-secrets)
  UPDATE_CNI_BINARIES                          false: executables that are there are left alone
  SKIP_CNI_BINARIES                            other plugins of the image that are not to be copied
  SLEEP                                        stay, and install again when secrets change (true; false with --host)
  CALICO_CNI_SERVICE_ACCOUNT                   whose token the kubeconfig gets (calico-cni-plugin)
  KUBECONFIG                                   how to ask for it (default: as the service account of this pod)
  KUBERNETES_SERVICE_PROTOCOL, _HOST, _PORT    the server in the kubeconfig
  SKIP_TLS_VERIFY                              true: the plugin trusts any API server
  TEST_FILE_PERMISSION                         mode of the configuration (0600)
In a template, __NAME__ is the value of: CALICO_API_GROUP, CNI_MTU, DATASTORE_TYPE, ETCD_CA_CERT_FILE, ETCD_CERT_FILE,
  ETCD_DISCOVERY_SRV, ETCD_ENDPOINTS, ETCD_KEY_FILE, KUBECONFIG_FILEPATH, KUBERNETES_NODE_NAME,
  KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, LOG_FILE_MAX_AGE, LOG_FILE_MAX_COUNT, LOG_FILE_MAX_SIZE,
  LOG_FILE_PATH, LOG_LEVEL, REQUIRE_MTU_FILE, SERVICEACCOUNT_TOKEN.
`;
