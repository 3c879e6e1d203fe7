/** The network configuration as it came in on stdin, understood only as far as the protocol needs it. Pure. */

import { CalicoError, errorText } from '../base/calico-error.ts';
import {
  describeJson,
  isJsonObject,
  isNestedTooDeep,
  type JsonObject,
  jsonMember,
} from '../base/json-object.ts';
import { isCniName } from './environment.ts';
import { UNDECLARED_RESULT_VERSION, UNDECLARED_VERSION } from './version.ts';

export interface NetConfBytes {
  /** stdin, character for character: what a delegate gets. */
  readonly text: string;
  readonly json: JsonObject;
  /** `0.1.0` when the configuration has none. Not necessarily a version there is. */
  readonly cniVersion: string;
  /** The version to print a result in: {@link cniVersion}, but `0.2.0` when the configuration has none. */
  readonly resultVersion: string;
  readonly name: string;
}

/** Decodes stdin. Throws `decode` when it is not the JSON it should be, `config` when the name is not one. */
export function decodeNetConf(text: string): NetConfBytes {
  const json = parseObject(text);
  const name = stringMember(json, 'name');
  if (name === '') throw new CalicoError('config', 'missing network name');
  if (!isCniName(name)) {
    throw new CalicoError('config', 'invalid characters found in network name', { details: name });
  }
  const declared = stringMember(json, 'cniVersion');
  return {
    text,
    json,
    cniVersion: declared || UNDECLARED_VERSION,
    resultVersion: declared || UNDECLARED_RESULT_VERSION,
    name,
  };
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text) ?? {};
  } catch (error) {
    throw undecodable(withoutExcerpt(errorText(error)));
  }
  if (isNestedTooDeep(value, text)) throw undecodable('it is nested too deep');
  if (isJsonObject(value)) return value;
  throw undecodable(`it must be a JSON object, found ${describeJson(value)}`);
}

function stringMember(json: JsonObject, name: string): string {
  const value = jsonMember(json, name) ?? '';
  if (typeof value === 'string') return value;
  throw undecodable(`${name} must be a string, found ${describeJson(value)}`);
}

/** V8 quotes the text around the mistake, and a configuration can hold a token. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, '');
}

function undecodable(why: string): CalicoError {
  return new CalicoError('decode', `error unmarshall network config: ${why}`);
}
