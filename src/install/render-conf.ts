/** A network configuration from its template: `__NAMES__` become values, and what comes out is one. Pure. */

import { CalicoError, errorText } from '../base/calico-error.ts';
import { isJsonObject, type JsonObject, jsonMember } from '../base/json-object.ts';

export interface Rendered {
  readonly text: string;
  /** Those of the chain, in order; a configuration of a single plugin is a chain of one. */
  readonly plugins: readonly JsonObject[];
  readonly json: JsonObject;
}

/** Where a value comes from that a template asks for, and nobody has given. */
const MISSING: Readonly<Record<string, string>> = {
  KUBERNETES_SERVICE_HOST: 'set KUBERNETES_SERVICE_HOST; kubelet does so for pods',
  KUBERNETES_SERVICE_PORT: 'set KUBERNETES_SERVICE_PORT; kubelet does so for pods',
  SERVICEACCOUNT_TOKEN: 'there is no service account here: mount one, or take the placeholder out',
};

/** `origin`: of the template, for messages. Throws `config`: for a value that is missing, or what is no configuration. */
export function renderConf(
  template: string,
  values: Readonly<Record<string, string>>,
  origin: string,
): Rendered {
  const text = template.replace(/__([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)__/g, (placeholder, name: string) =>
    inJson(replacement(name, placeholder, values, origin)),
  );
  const json = parse(text, origin);
  const plugins = pluginsOf(json, origin);
  return { text: text.endsWith('\n') ? text : `${text}\n`, plugins, json };
}

function replacement(
  name: string,
  placeholder: string,
  values: Readonly<Record<string, string>>,
  origin: string,
): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined)
    throw new CalicoError('config', `${origin}: nothing is known to put in place of ${placeholder}`, {
      details: `known are ${Object.keys(values)
        .map((known) => `__${known}__`)
        .join(', ')}`,
    });
  const advice = value === '' ? adviceFor(name, values) : undefined;
  if (advice === undefined) return value;
  throw new CalicoError('config', `${origin}: there is no value for ${placeholder}`, { details: advice });
}

/** What may be empty has none. */
function adviceFor(name: string, values: Readonly<Record<string, string>>): string | undefined {
  if (name !== 'ETCD_ENDPOINTS') return MISSING[name];
  return values.DATASTORE_TYPE === 'etcdv3' && !values.ETCD_DISCOVERY_SRV
    ? 'set ETCD_ENDPOINTS, such as https://10.0.0.1:2379'
    : undefined;
}

/** As it stands inside of a JSON text: a quotation mark must not end it. */
function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function parse(text: string, origin: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // Everything behind the position is left out: it quotes the text, and there may be a token in it.
    const [reason] = errorText(error).split(', "');
    throw new CalicoError('config', `${origin} is not JSON once its placeholders are replaced: ${reason}`);
  }
  if (isJsonObject(json)) return json;
  throw new CalicoError('config', `${origin} is no network configuration: it must be a JSON object`);
}

function pluginsOf(json: JsonObject, origin: string): readonly JsonObject[] {
  const list = jsonMember(json, 'plugins');
  if (list === undefined) return [json];
  if (Array.isArray(list) && list.every(isJsonObject)) return list;
  throw new CalicoError('config', `${origin} is no network configuration: plugins must be a list of objects`);
}

/** What the runtime hands to the plugin of that type, or `undefined`: name and version are those of the list. */
export function netConfOf({ json, plugins }: Rendered, type: string): JsonObject | undefined {
  const plugin = plugins.find((one) => jsonMember(one, 'type') === type);
  if (plugin === undefined) return undefined;
  return { ...plugin, name: jsonMember(json, 'name'), cniVersion: jsonMember(json, 'cniVersion') };
}
