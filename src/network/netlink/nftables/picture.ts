/** What of a table decides about packets, as text in one order: equal for a table that is wanted and one that is there. */

import type { IpFamily } from '../../../base/ip-address.ts';
import { isKernelError } from '../../kernel-error.ts';
import { attributeText, decodeAttributes, decodeList, readText } from '../attribute.ts';
import { addressFamily } from '../family.ts';
import type { NetlinkSocket } from '../socket.ts';
import { decodeFilterMessage, filterRequest, readBe32 } from './message.ts';
import {
  elementsOf,
  type FilterTable,
  NFTA_CHAIN_HOOK,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_TYPE,
  NFTA_DATA_VALUE,
  NFTA_ELEMENT_FLAGS,
  NFTA_ELEMENT_KEY,
  NFTA_HOOK_NUMBER,
  NFTA_HOOK_PRIORITY,
  NFTA_RULE_CHAIN,
  NFTA_RULE_EXPRESSIONS,
  NFTA_SET_ELEMENTS,
  NFTA_SET_NAME,
  NFTA_TABLE_NAME,
  type SetElement,
} from './table.ts';

type Attributes = ReadonlyMap<number, Buffer>;

const EMPTY = Buffer.alloc(0);

/** Of a table as it shall be. */
export function pictureOf({ family, sets, chains }: FilterTable): string {
  return picture(
    sets.map(({ name, ranges }) => setLine(name, elementsOf(family, ranges))),
    chains.flatMap((chain) => [
      chainLine(chain.name, chain.type, chain.hook, chain.priority),
      ...chain.rules.map((rule) => ruleLine(chain.name, Buffer.concat([...rule]))),
    ]),
  );
}

/** Of the table as the kernel has it; `undefined` when there is none. Throws what the kernel refuses with. */
export function readPicture(socket: NetlinkSocket, family: IpFamily, name: string): string | undefined {
  const of = attributeText(NFTA_TABLE_NAME, name);
  const ask = (what: 'GETCHAIN' | 'GETRULE' | 'GETSET' | 'GETSETELEM', attributes: readonly Buffer[]) =>
    socket
      .dump(filterRequest(what, family, 0, attributes))
      .map(decodeFilterMessage)
      .filter((message) => message.addressFamily === addressFamily(family))
      .map(({ attributes: answer }) => answer)
      .filter((answer) => readText(answer.get(NFTA_TABLE_NAME)) === name);
  try {
    socket.get(filterRequest('GETTABLE', family, 0, [of]));
  } catch (error) {
    if (isKernelError(error, 'ENOENT')) return undefined;
    throw error;
  }
  const sets = ask('GETSET', [of]).map((set) => readText(set.get(NFTA_SET_NAME)) ?? '');
  const elements = (set: string) =>
    ask('GETSETELEM', [of, attributeText(NFTA_SET_NAME, set)]).flatMap(decodeElements);
  return picture(
    sets.map((set) => setLine(set, elements(set))),
    [...ask('GETCHAIN', [of]).map(describeChain), ...ask('GETRULE', [of]).map(describeRule)],
  );
}

/** Rules stay in their order; chains and sets have none. */
function picture(sets: readonly string[], chains: readonly string[]): string {
  const isRule = (line: string) => line.startsWith('rule ');
  const rules = chains.filter(isRule);
  return [...sets.toSorted(), ...chains.filter((line) => !isRule(line)).toSorted(), ...rules].join('\n');
}

function setLine(name: string, elements: readonly SetElement[]): string {
  const texts = elements.map(({ key, isEnd }) => `${Buffer.from(key).toString('hex')}${isEnd ? ')' : '['}`);
  return `set ${name} ${texts.toSorted().join(' ')}`;
}

function chainLine(name: string, type: string, hook: number, priority: number): string {
  return `chain ${name} ${type} ${hook} ${priority}`;
}

function ruleLine(chain: string, expressions: Buffer): string {
  return `rule ${chain} ${expressions.toString('hex')}`;
}

function describeChain(chain: Attributes): string {
  const hook = decodeAttributes(chain.get(NFTA_CHAIN_HOOK) ?? EMPTY);
  return chainLine(
    readText(chain.get(NFTA_CHAIN_NAME)) ?? '',
    readText(chain.get(NFTA_CHAIN_TYPE)) ?? '',
    readBe32(hook.get(NFTA_HOOK_NUMBER)) ?? -1,
    readBe32(hook.get(NFTA_HOOK_PRIORITY)) ?? -1,
  );
}

function describeRule(rule: Attributes): string {
  return ruleLine(readText(rule.get(NFTA_RULE_CHAIN)) ?? '', rule.get(NFTA_RULE_EXPRESSIONS) ?? EMPTY);
}

function decodeElements(message: Attributes): readonly SetElement[] {
  return decodeList(message.get(NFTA_SET_ELEMENTS) ?? EMPTY).map((bytes) => {
    const element = decodeAttributes(bytes);
    const key = decodeAttributes(element.get(NFTA_ELEMENT_KEY) ?? EMPTY).get(NFTA_DATA_VALUE);
    return { key: key ?? EMPTY, isEnd: ((readBe32(element.get(NFTA_ELEMENT_FLAGS)) ?? 0) & 1) !== 0 };
  });
}
