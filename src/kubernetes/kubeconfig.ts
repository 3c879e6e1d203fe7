/**
 * A kubeconfig file: which server, whom to trust, and as whom (https://kubernetes.io/docs/reference/config-api/
 * kubeconfig.v1). Only what the current context names is looked at. Pure.
 */

import { FAILSAFE_SCHEMA, load, nullCoreTag, YAMLException } from 'js-yaml';
import * as z from 'zod/mini';
import { CalicoError } from '../base/calico-error.ts';
import { secret } from '../base/secret.ts';
import { type ClientConfig, type Cluster, NO_CLUSTER, NOBODY, type User } from './client-config.ts';
import { decodeValue, maybe } from './decode-value.ts';
import type { MaterialSource } from './material.ts';

/** Texts, so that a token of digits remains one. */
const YAML_SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag);

const text = maybe(z.string());
const anything = z.optional(z.unknown());

const clusterItem = z.object({
  cluster: maybe(
    z.object({
      server: text,
      'certificate-authority': text,
      'certificate-authority-data': text,
      'insecure-skip-tls-verify': text,
      'tls-server-name': text,
      'proxy-url': text,
    }),
  ),
});
const userItem = z.object({
  user: maybe(
    z.object({
      'client-certificate': text,
      'client-certificate-data': text,
      'client-key': text,
      'client-key-data': text,
      token: text,
      tokenFile: text,
      username: text,
      password: text,
      exec: anything,
      'auth-provider': anything,
      as: anything,
      'as-uid': anything,
      'as-groups': anything,
      'as-user-extra': anything,
    }),
  ),
});
const contextItem = z.object({ context: maybe(z.object({ cluster: text, user: text })) });

/** Lists, whose items are looked at when they are needed: a mistake in another context is none of ours. */
const config = z.object({
  'current-context': text,
  contexts: maybe(z.array(z.unknown())),
  clusters: maybe(z.array(z.unknown())),
  users: maybe(z.array(z.unknown())),
});
const named = z.object({ name: z.string() });

/**
 * Parses the text (YAML, of which JSON is a part) of the file at `path`. `contextName`: instead of the current one.
 * Paths in it are given as they are written. Throws `config`, or `unsupported` for what only kubectl can do. No message
 * has a value that could be a credential.
 */
export function parseKubeconfig(content: string, path: string, contextName?: string): ClientConfig {
  const what = `invalid kubeconfig ${path}`;
  const found = decodeValue(config, parseYaml(content, what), what, 'config');
  const current = contextName || found['current-context'];
  if (!current) throw new CalicoError('config', `${what}: current-context is not set`);
  const { context } = pick(contextItem, found.contexts, `context ${JSON.stringify(current)}`, current, what);
  return {
    origin: `kubeconfig ${path}`,
    cluster: context?.cluster ? clusterOf(found.clusters, context.cluster, path) : NO_CLUSTER,
    user: context?.user ? userOf(found.users, context.user, path) : NOBODY,
  };
}

/** The library's own message quotes the file, tokens and all. */
function parseYaml(content: string, what: string): unknown {
  try {
    return load(content, { schema: YAML_SCHEMA });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : ` in line ${error.mark.line + 1}`;
    throw new CalicoError('config', `${what}: ${error.reason}${line}`);
  }
}

type Items = readonly unknown[] | null | undefined;

/** The first item of that name. */
function pick<Schema extends z.core.$ZodType>(
  schema: Schema,
  items: Items,
  shown: string,
  name: string,
  what: string,
): z.infer<Schema> {
  const item = items?.find((candidate) => z.safeParse(named, candidate).data?.name === name);
  if (item === undefined) throw new CalicoError('config', `${what}: ${shown} does not exist`);
  return decodeValue(schema, item, `${what}: ${shown}`, 'config');
}

function clusterOf(items: Items, name: string, path: string): Cluster {
  const shown = `cluster ${JSON.stringify(name)}`;
  const { cluster } = pick(clusterItem, items, shown, name, `invalid kubeconfig ${path}`);
  if (cluster?.['proxy-url']) throw unsupported('proxy-url', shown, path);
  return {
    server: cluster?.server || undefined,
    certificateAuthority: pem(
      cluster?.['certificate-authority-data'],
      cluster?.['certificate-authority'],
      `certificate-authority-data of ${shown} in ${path}`,
    ),
    insecureSkipTlsVerify: cluster?.['insecure-skip-tls-verify']?.toLowerCase() === 'true',
    tlsServerName: cluster?.['tls-server-name'] || undefined,
  };
}

const UNSUPPORTED_OF_USER = ['exec', 'auth-provider', 'as', 'as-uid', 'as-groups', 'as-user-extra'] as const;

function userOf(items: Items, name: string, path: string): User {
  const shown = `user ${JSON.stringify(name)}`;
  const { user } = pick(userItem, items, shown, name, `invalid kubeconfig ${path}`);
  const foreign = UNSUPPORTED_OF_USER.find((key) => user?.[key]);
  if (foreign !== undefined) throw unsupported(foreign, shown, path);
  const of = (key: string) => `${key} of ${shown} in ${path}`;
  const token = inline(user?.token, of('token'));
  return {
    certificate: pem(
      user?.['client-certificate-data'],
      user?.['client-certificate'],
      of('client-certificate-data'),
    ),
    key: pem(user?.['client-key-data'], user?.['client-key'], of('client-key-data')),
    tokens: [...(user?.tokenFile ? [{ file: user.tokenFile }] : []), ...(token === undefined ? [] : [token])],
    username: user?.username || undefined,
    password: inline(user?.password, of('password')),
  };
}

function unsupported(key: string, shown: string, path: string): CalicoError {
  return new CalicoError('unsupported', `kubeconfig ${path}: ${key} of ${shown} is not supported`, {
    details: 'use a client certificate, token, tokenFile, or username and password, and no proxy',
  });
}

/** Data wins over a file: it "overrides", says the reference. */
function pem(data: string | null | undefined, file: string | null | undefined, from: string) {
  if (!data) return file ? { file } : undefined;
  return { text: secret(Buffer.from(data, 'base64').toString()), from } satisfies MaterialSource;
}

function inline(text: string | null | undefined, from: string) {
  return text ? { text: secret(text), from } : undefined;
}
