/** Rules for the values of fields: each gives the problems it finds. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { tryParseCidr, tryParseIpNetwork } from '../../base/cidr.ts';
import { type IpFamily, tryParseIpAddress } from '../../base/ip-address.ts';
import { isJsonObject } from '../../base/json-object.ts';
import { parseSelector } from '../../ipam/selector/parse.ts';
import { closestName } from './closest-name.ts';
import { mustBe, type Problem } from './problem.ts';

export type Rule = (value: unknown, path: string) => readonly Problem[];

export const FLAG: Rule = (value, path) =>
  typeof value === 'boolean' ? [] : mustBe(path, 'true or false', value);

export const TEXT: Rule = (value, path) => (typeof value === 'string' ? [] : mustBe(path, 'a string', value));

/** A whole number. */
export function integer(least: number, most: number): Rule {
  return (value, path) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? []
      : mustBe(path, `a whole number from ${least} to ${most}`, value);
}

export function oneOf(...values: readonly string[]): Rule {
  const isOne = (value: unknown): boolean => values.some((one) => one === value);
  return (value, path) => (isOne(value) ? [] : mustBe(path, values.join(' or '), value));
}

export function listOf(rule: Rule): Rule {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((member, index) => rule(member, `${path}[${index}]`))
      : mustBe(path, 'a list', value);
}

/** An object with these fields, each of which may be absent. */
export function fields(rules: Readonly<Record<string, Rule>>): Rule {
  return (value, path) => {
    if (!isJsonObject(value)) return mustBe(path, 'an object', value);
    return Object.entries(value).flatMap(([name, member]) => {
      const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
      if (rule === undefined) return [unknownField(`${path}.${name}`, name, Object.keys(rules))];
      return member === null || member === undefined ? [] : rule(member, `${path}.${name}`);
    });
  };
}

function unknownField(path: string, name: string, known: readonly string[]): Problem {
  const closest = closestName(name, known);
  const hint = closest === undefined ? `these are: ${known.join(', ')}` : `did you mean ${closest}?`;
  return { path, text: `is not a field that Calico has; ${hint}`, isUnknownField: true };
}

/** A text of which `test` says whether it is one. */
function textThat(what: string, test: (text: string) => boolean): Rule {
  return (value, path) => (typeof value === 'string' && test(value) ? [] : mustBe(path, what, value));
}

export const CIDR_OR_ADDRESS = textThat(
  'an address or a CIDR, such as 10.0.0.7 or 10.0.0.0/30',
  (text) => tryParseIpAddress(text.trim()) !== undefined || tryParseCidr(text.trim()) !== undefined,
);

export const MAC = textThat('a MAC address', (text) => /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text));

export function addressOf(family: IpFamily): Rule {
  return textThat(`an IPv${family} address`, (text) => tryParseIpAddress(text)?.family === family);
}

/** An address with its mask, or without one: that of a host. */
export function interfaceAddressOf(family: IpFamily): Rule {
  const example = family === 4 ? '10.0.0.1/24' : 'fd00::1/64';
  return textThat(
    `an IPv${family} address with the length of its mask, such as ${example}`,
    (text) => (tryParseIpNetwork(text)?.address ?? tryParseIpAddress(text))?.family === family,
  );
}

export const SELECTOR: Rule = (value, path) => {
  if (typeof value !== 'string') return mustBe(path, 'a selector, such as rack == "1"', value);
  try {
    parseSelector(value);
    return [];
  } catch (error) {
    if (error instanceof CalicoError) return [{ path, text: error.message }];
    throw error;
  }
};
