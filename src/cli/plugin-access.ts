/** How the plugin will ask the Kubernetes API: with a token of its own account, in a kubeconfig, for as long as that is good. */

import { join } from 'node:path';
import { CalicoError } from '../base/calico-error.ts';
import { type Secret, secret } from '../base/secret.ts';
import { NS_PER_SECOND } from '../base/time.ts';
import type { KubernetesConf } from '../config/calico-conf.ts';
import { connectionSources } from '../config/connection-sources.ts';
import { environmentDefaults } from '../config/environment-defaults.ts';
import type { InstallSettings } from '../install/install-settings.ts';
import { apiServerUrl, kubeconfigText } from '../install/kubeconfig-text.ts';
import { tryReadText } from '../install/observe-host.ts';
import type { PodAccount } from '../install/read-inputs.ts';
import { KUBECONFIG } from '../install/wanted-state.ts';
import { type ConnectionSettings, readConnectionSettings } from '../kubernetes/connection-settings.ts';
import { tokenExpiryNs } from '../kubernetes/expiry.ts';
import { parseServerUrl } from '../kubernetes/server-url.ts';
import { isKnownTo, requestToken } from '../kubernetes/token-request.ts';
import type { CommandWorld } from './command-world.ts';
import { commandDeadline } from './datastore-options.ts';

export interface PluginAccess {
  readonly token: Secret;
  readonly kubeconfig: Secret;
  /** The same, before the kubeconfig is written. */
  readonly connection: ConnectionSettings;
  /** `undefined`: it never expires, or does not say so. */
  readonly expiresNs: bigint | undefined;
}

const BUDGET_MS = 10_000;
/** What is good for longer is not replaced: who installs twice changes nothing. */
const LONG_ENOUGH_NS = 12n * 3600n * NS_PER_SECOND;

export interface AccessRequest {
  readonly settings: InstallSettings;
  readonly account: PodAccount;
  /** Whether a token that is in use already may stay. */
  readonly mayKeep: boolean;
  /** Nobody is asked. */
  readonly isDryRun: boolean;
}

/** Throws what the API throws, and `config` for a pod that does not know where the API is. */
export async function pluginAccess(request: AccessRequest, world: CommandWorld): Promise<PluginAccess> {
  const { mayKeep, isDryRun } = request;
  const former = mayKeep ? formerAccess(request, world) : undefined;
  if (isDryRun) return former ?? accessWith(secret('a-new-token'), 'a dry run', request);
  if (former !== undefined && (await isAccepted(former.connection, world))) return former;
  const token = await newToken(request, world);
  return token === undefined ? mountedAccess(request) : accessWith(token, 'the token asked for', request);
}

/** `from`: where the token comes from, for messages. */
function accessWith(
  token: Secret,
  from: string,
  { settings, account }: Pick<AccessRequest, 'settings' | 'account'>,
): PluginAccess {
  const { certificateAuthority, certificateAuthorityFile } = account;
  const { skipsTlsVerify } = settings.kubeconfig;
  const ca = {
    text: secret(certificateAuthority),
    from: `certificate authority ${certificateAuthorityFile}`,
  };
  return {
    token,
    kubeconfig: kubeconfigText(settings.kubeconfig, { token, certificateAuthority }),
    connection: {
      server: parseServerUrl(apiServerUrl(settings.kubeconfig), true),
      certificateAuthority: skipsTlsVerify ? undefined : ca,
      insecureSkipTlsVerify: skipsTlsVerify,
      tlsServerName: undefined,
      certificate: undefined,
      authorization: { text: secret(`Bearer ${token.reveal()}`), from },
    },
    expiresNs: tokenExpiryNs(token.reveal()),
  };
}

/** Of the kubeconfig that is there, if it is ours but for the token, and the token is good for long enough. */
function formerAccess(request: AccessRequest, world: CommandWorld): PluginAccess | undefined {
  const path = join(request.settings.places.netFolder, KUBECONFIG);
  const text = tryReadText(path);
  if (text === undefined) return undefined;
  const token = secret(/^ {4}token: "([^"\n]+)"$/m.exec(text)?.[1] ?? '');
  const former = accessWith(token, `token of ${path}`, request);
  const { kubeconfig, expiresNs } = former;
  const isOurs = kubeconfig.reveal() === text;
  const isGood = expiresNs !== undefined && expiresNs - world.clock.nowNs() > LONG_ENOUGH_NS;
  return isOurs && isGood ? former : undefined;
}

function isAccepted(connection: ConnectionSettings, world: CommandWorld): Promise<boolean> {
  return isKnownTo(connection, world.clock, commandDeadline(world, BUDGET_MS, 'the installation'));
}

async function newToken(request: AccessRequest, world: CommandWorld): Promise<Secret | undefined> {
  const { settings, account } = request;
  const wanted = { namespace: account.namespace, name: settings.kubeconfig.serviceAccount };
  const connection = await ownConnection(request, world);
  return requestToken(connection, wanted, world.clock, commandDeadline(world, BUDGET_MS, 'the installation'));
}

/** Who asks for the token: the user of a kubeconfig, else the account of this pod. */
async function ownConnection(request: AccessRequest, world: CommandWorld): Promise<ConnectionSettings> {
  const defaults = environmentDefaults(world.env);
  if (defaults.kubernetes.kubeconfig === undefined) return mountedAccess(request).connection;
  return readConnectionSettings(connectionSources(NOTHING_SAID, defaults), world.clock);
}

const NOTHING_SAID: KubernetesConf = {
  kubeconfig: undefined,
  apiRoot: undefined,
  authToken: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  certificateAuthority: undefined,
  nodeName: undefined,
};

function mountedAccess(request: AccessRequest): PluginAccess {
  const { tokenFile } = request.account;
  const token = tryReadText(tokenFile)?.trim();
  if (token) return accessWith(secret(token), `token ${tokenFile}`, request);
  throw new CalicoError(
    'config',
    `the token of the pod's service account, ${tokenFile}, is empty or cannot be read`,
  );
}
