/** One installation, from what is there to what is wanted: looked at, tested, written. */

import { dirname, join } from 'node:path';
import { checkInterruption } from '../base/deadline.ts';
import { applySteps } from '../install/apply-steps.ts';
import {
  librariesToBring,
  requireNetFolder,
  visibleHostRoot,
  writableBinFolders,
} from '../install/check-host.ts';
import { confWarnings } from '../install/conf-warnings.ts';
import { describePlan } from '../install/describe-plan.ts';
import { doStep } from '../install/do-step.ts';
import type { InstallSettings } from '../install/install-settings.ts';
import { lockFolder } from '../install/lock-folder.ts';
import { leftoversIn, namesIn, observe, observeTls } from '../install/observe-host.ts';
import { type InstallPlan, isDone, planInstall } from '../install/plan-install.ts';
import {
  type PodAccount,
  readCompanions,
  readPodAccount,
  readTemplate,
  readTls,
  sourceFile,
} from '../install/read-inputs.ts';
import { netConfOf, type Rendered, renderConf } from '../install/render-conf.ts';
import { stepsOf } from '../install/steps.ts';
import { TLS_FOLDER, type TlsFile } from '../install/tls-folder.ts';
import { KUBECONFIG, wantedState } from '../install/wanted-state.ts';
import { askConnections } from './ask-connections.ts';
import type { CommandWorld } from './command-world.ts';
import { commandDeadline } from './datastore-options.ts';
import { type PluginAccess, pluginAccess } from './plugin-access.ts';

export interface InstallRun {
  readonly settings: InstallSettings;
  /** Writes nothing, and asks nobody. */
  readonly isDryRun: boolean;
  /** Whether the plugin's token is replaced even if it is good for a while. */
  readonly renewsToken: boolean;
}

export interface Installed {
  /** What was done, or would be; one line each. */
  readonly changes: readonly string[];
  readonly warnings: readonly string[];
  /** Of the plugin's token. */
  readonly expiresNs: bigint | undefined;
}

const LOCK_MS = 60_000;

/** Throws before anything is written whatever can be seen before. */
export async function installOnce(run: InstallRun, world: CommandWorld): Promise<Installed> {
  const { settings, isDryRun } = run;
  const { places, replacesExecutables } = settings;
  const binFolders = writableBinFolders(places, replacesExecutables);
  requireNetFolder(places);
  const hostRoot = visibleHostRoot(places);
  const libraries = hostRoot === undefined ? [] : librariesToBring(world.executable, hostRoot);
  const tls = readTls(settings.tlsFolder);
  const account = readPodAccount();
  const access = account && (await accessOf(run, account, world));
  const rendered = renderedConf(settings, tls.files, access);
  const deadline = commandDeadline(world, LOCK_MS, 'the installation');
  using _lock = isDryRun ? undefined : await lockFolder(places.netFolder, world.clock, deadline);
  const tlsFolder = join(places.netFolder, TLS_FOLDER);
  const wanted = wantedState({
    settings,
    binFolders,
    executable: { ...sourceFile(world.executable), version: world.version },
    companions: readCompanions(settings),
    libraries,
    tls: tls.files,
    foundTls: observeTls(tlsFolder),
    kubeconfig: access?.kubeconfig,
    conf: rendered.text,
  });
  const folders = new Set(wanted.map(({ path }) => dirname(path)));
  const plan = planInstall({
    wanted,
    found: wanted.map(observe),
    leftovers: leftoversIn([...folders]),
    replacesExecutables,
  });
  if (!isDryRun && !isDone(plan)) {
    if (settings.testsDatastore) await testConf(settings, rendered, tls.files, access, world);
    checkInterruption(deadline);
    applySteps(stepsOf(plan), doStep);
  }
  return {
    changes: describePlan(plan),
    warnings: [
      ...(hostRoot === undefined ? [NOT_SEEN] : []),
      ...tls.missing.map((name) => `${join(settings.tlsFolder, name)} is missing`),
      ...warningsOn(settings, rendered, plan),
    ],
    expiresNs: access?.expiresNs,
  };
}

const NOT_SEEN =
  "cannot see whether the host has the shared libraries that the executable needs: mount the host's / at /host/root, read-only";

function accessOf(run: InstallRun, account: PodAccount, world: CommandWorld): Promise<PluginAccess> {
  const { settings, isDryRun, renewsToken } = run;
  return pluginAccess({ settings, account, mayKeep: !renewsToken, isDryRun }, world);
}

function renderedConf(
  settings: InstallSettings,
  tls: readonly TlsFile[],
  access: PluginAccess | undefined,
): Rendered {
  const { netFolderOnHost } = settings.places;
  const pathOf = (name: string) =>
    tls.some((file) => file.name === name) ? `${netFolderOnHost}/${TLS_FOLDER}/${name}` : '';
  const { text, origin } = readTemplate(settings.template);
  const values = {
    ...settings.values,
    KUBECONFIG_FILEPATH: `${netFolderOnHost}/${KUBECONFIG}`,
    SERVICEACCOUNT_TOKEN: access?.token.reveal() ?? '',
    ETCD_CA_CERT_FILE: pathOf('etcd-ca'),
    ETCD_CERT_FILE: pathOf('etcd-cert'),
    ETCD_KEY_FILE: pathOf('etcd-key'),
  };
  return renderConf(text, values, origin);
}

/** Before anything is written: with the files that are going to be written, from where they are now. */
async function testConf(
  settings: InstallSettings,
  rendered: Rendered,
  tls: readonly TlsFile[],
  access: PluginAccess | undefined,
  world: CommandWorld,
): Promise<void> {
  const plugin = netConfOf(rendered, 'calico');
  // A chain without ours has a datastore of its own, or none.
  if (plugin === undefined) return;
  const { ETCD_USERNAME, ETCD_PASSWORD } = world.env;
  await askConnections(
    {
      netConf: JSON.stringify(plugin),
      // Of ours, the runtime will have nothing else.
      env: { ETCD_USERNAME, ETCD_PASSWORD },
      pathOf: (path) => pathNow(path, settings, tls),
      api: access?.connection,
    },
    world,
  );
}

/** Where a file is for this process that the configuration names as the host will see it. */
function pathNow(path: string, { places, tlsFolder }: InstallSettings, tls: readonly TlsFile[]): string {
  const copied = tls.find(({ name }) => path === `${places.netFolderOnHost}/${TLS_FOLDER}/${name}`);
  if (copied !== undefined) return join(tlsFolder, copied.name);
  if (path.startsWith(`${places.netFolderOnHost}/`))
    return places.netFolder + path.slice(places.netFolderOnHost.length);
  return places.hostRoot === undefined ? path : join(places.hostRoot, path);
}

function warningsOn(
  { confName, oldConfName, places }: InstallSettings,
  rendered: Rendered,
  { changes }: InstallPlan,
): readonly string[] {
  const programs = [
    ...places.binFolders.flatMap(namesIn),
    ...changes.filter(({ type }) => type === 'copy').map(({ path }) => path.replace(/.*\//, '')),
    ...changes.filter(({ type }) => type === 'hard-link').map(({ path }) => path.replace(/.*\//, '')),
  ];
  const otherNames = namesIn(places.netFolder).filter((name) => name !== oldConfName);
  return confWarnings({ confName, rendered, otherNames, programs });
}
