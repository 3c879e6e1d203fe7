/** The settings file of calicoctl, a CalicoAPIConfig in YAML or JSON: where the datastore is, and who we are there. */

import { readFileSync } from 'node:fs';
import { CORE_SCHEMA, load } from 'js-yaml';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { describeJson, isJsonObject, type JsonObject } from '../base/json-object.ts';
import { secret } from '../base/secret.ts';
import { type EnvironmentDefaults, environmentDefaults } from '../config/environment-defaults.ts';
import type { PemTexts } from '../datastore/etcd/etcd-settings.ts';

/** Read where no other is named, if it is there. */
export const DEFAULT_CONFIG_FILE = '/etc/calico/calicoctl.cfg';

export interface FileSettings {
  readonly defaults: EnvironmentDefaults;
  /** Of the embedded datastore. */
  readonly datastorePath: string | undefined;
  readonly pem: PemTexts | undefined;
}

const FIELDS = [
  ...['datastoreType', 'datastorePath', 'etcdEndpoints', 'etcdDiscoverySrv', 'etcdUsername', 'etcdPassword'],
  ...['etcdKeyFile', 'etcdCertFile', 'etcdCACertFile', 'etcdKey', 'etcdCert', 'etcdCACert'],
] as const;
type Field = (typeof FIELDS)[number];

/** What calicoctl needs for the Kubernetes datastore, and we do not. */
const IGNORED = /^(?:k8s|kubeconfig|usePodCIDR$|calicoAPIGroup$)/i;

/**
 * The settings of the file; `undefined` when it is the usual one and does not exist. Throws `config` for a file that is
 * named and cannot be read, or is not what it should be.
 */
export function readConfigFile(path: string | undefined): FileSettings | undefined {
  const file = path ?? DEFAULT_CONFIG_FILE;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing && path === undefined) return undefined;
    throw new CalicoError('config', `Error reading config file: ${file}`, {
      details: errorText(cause),
      cause,
    });
  }
  return parseConfigFile(text, file);
}

/** `file` is for messages. Throws `config`; never with a value of the file in its words. */
export function parseConfigFile(text: string, file: string): FileSettings {
  const fields = texts(specOf(parse(text, file), file), file);
  const { etcdPassword } = fields;
  return {
    defaults: {
      ...environmentDefaults({}),
      datastoreType: fields.datastoreType,
      etcdEndpoints: fields.etcdEndpoints,
      etcdDiscoverySrv: fields.etcdDiscoverySrv,
      etcdKeyFile: fields.etcdKeyFile,
      etcdCertFile: fields.etcdCertFile,
      etcdCaCertFile: fields.etcdCACertFile,
      etcdUsername: fields.etcdUsername,
      etcdPassword: etcdPassword === undefined ? undefined : secret(etcdPassword),
    },
    datastorePath: fields.datastorePath,
    pem: pemTexts(fields, file),
  };
}

function parse(text: string, file: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA });
  } catch (cause) {
    // The whole message quotes the lines around, and those may hold a password.
    const reason = cause instanceof Error && 'reason' in cause ? String(cause.reason) : 'it is not YAML';
    throw invalid(file, `syntax error: ${reason}`);
  }
}

function specOf(value: unknown, file: string): JsonObject {
  if (!isJsonObject(value)) throw invalid(file, `it must be an object, found ${describeJson(value)}`);
  if (value.apiVersion !== 'projectcalico.org/v3') {
    throw invalid(file, `apiVersion must be projectcalico.org/v3, found ${describeJson(value.apiVersion)}`);
  }
  if (value.kind !== 'CalicoAPIConfig') {
    throw invalid(file, `kind must be CalicoAPIConfig, found ${describeJson(value.kind)}`);
  }
  const { spec = {} } = value;
  if (isJsonObject(spec)) return spec;
  throw invalid(file, `spec must be an object, found ${describeJson(spec)}`);
}

function texts(spec: JsonObject, file: string): Partial<Record<Field, string>> {
  const unknown = Object.keys(spec).find((name) => !isField(name) && !IGNORED.test(name));
  if (unknown !== undefined) {
    throw invalid(file, `spec.${unknown} is not a field of CalicoAPIConfig: it has ${FIELDS.join(', ')}`);
  }
  const found = FIELDS.flatMap((name) => {
    const value = spec[name] ?? '';
    if (typeof value === 'string') return value === '' ? [] : [[name, value] as const];
    throw invalid(file, `spec.${name} must be a string, found one that is not: put it in quotes`);
  });
  return Object.fromEntries(found);
}

function isField(name: string): name is Field {
  return FIELDS.some((field) => field === name);
}

function pemTexts(fields: Partial<Record<Field, string>>, file: string): PemTexts | undefined {
  const { etcdCACert: ca, etcdCert: cert, etcdKey: key } = fields;
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if (fields.etcdCACertFile ?? fields.etcdCertFile ?? fields.etcdKeyFile) {
    throw invalid(file, 'Cannot mix inline certificate-key and certificate / key files');
  }
  if (ca === undefined || cert === undefined || key === undefined) {
    throw invalid(file, 'etcdCACert, etcdCert and etcdKey come together: set all three or none');
  }
  const wrong = Object.entries({ etcdCACert: ca, etcdCert: cert, etcdKey: key }).find(
    ([, value]) => !value.includes('-----BEGIN '),
  );
  if (wrong !== undefined) throw invalid(file, `no PEM in spec.${wrong[0]}`);
  return { ca, cert, key };
}

function invalid(file: string, why: string): CalicoError {
  return new CalicoError('config', `invalid config file ${file}: ${why}`);
}
