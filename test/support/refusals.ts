/** What every answer to bad input has to be: an error that a person can act on, and nothing changed. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster } from './cluster.ts';
import { type TestNetns, whyNoNetns } from './netns.ts';
import {
  type Answer,
  type CniTestCall,
  type SimulatedNode,
  startNode,
  wholeState,
} from './simulated-node.ts';

/** Stands wherever a credential may: no answer may show it. */
export const SECRET = 'hunter2-secret';

/** One kind of bad input: what it is, how to call with it, the CNI code, and words of the message or its details. */
export type BadCall = readonly [what: string, call: Partial<CniTestCall>, code: number, message: RegExp];

/** An error object of CNI and exit code 1; no stack, no bug of ours, no secret. */
export function expectRefusal(answer: Answer): void {
  const { exitCode, json, stderr, stdout } = answer;
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 1 });
  expect(json).toMatchObject({
    cniVersion: expect.stringMatching(/^\d\.\d\.\d$/),
    code: expect.any(Number),
    msg: expect.stringMatching(/\S/),
  });
  expect(json.code, json.msg).not.toBe(999);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stdout + stderr).not.toContain(SECRET);
}

/** Calls that must be refused, all at once, and change nothing. */
export async function refusedAll(
  node: SimulatedNode,
  command: string,
  calls: readonly CniTestCall[],
): Promise<readonly Answer[]> {
  const before = await wholeState(node);
  const answers: Answer[] = [];
  for (let first = 0; first < calls.length; first += AT_ONCE) {
    answers.push(
      ...(await Promise.all(calls.slice(first, first + AT_ONCE).map((call) => node.cni(command, call)))),
    );
  }
  for (const answer of answers) expectRefusal(answer);
  expect(await wholeState(node)).toEqual(before);
  return answers;
}

const AT_ONCE = 4;

/** One call that must be refused and change nothing. */
export async function refused(node: SimulatedNode, command: string, call: CniTestCall): Promise<Answer> {
  const [answer] = await refusedAll(node, command, [call]);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

/** The code, and words of the message or its details. */
export function expectWords({ json }: Answer, code: number, message: RegExp): void {
  expect(`${json.code} ${json.msg} ${json.details ?? ''}`).toMatch(new RegExp(`^${code} `));
  expect(`${json.msg} ${json.details ?? ''}`).toMatch(message);
}

/** A node in a cluster that is as it should be, and a sandbox. */
export interface Given {
  readonly node: SimulatedNode;
  readonly pod: TestNetns;
}

/** Tests on a node of their own; `given` is to be called in them. */
export function describeOnNode(what: string, tests: (given: () => Given) => void): void {
  const why = whyNoNetns();
  describe.skipIf(why !== undefined)(`${what}${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
    let started: Given | undefined;
    beforeAll(async () => {
      const node = await startNode();
      started = { node, pod: node.makePod() };
      await writeCluster(node.etcd);
    });
    afterAll(async () => {
      await started?.node.stop();
    });
    tests(() => {
      if (started === undefined) throw new Error('the node has not started');
      return started;
    });
  });
}

/** An ADD with each of them is refused, with the code and the words of its row, and changes nothing. */
export function refusesAdd(given: () => Given, rows: readonly BadCall[]): void {
  it.each(rows)('ADD with %s', async (_what, call, code, message) => {
    const { node, pod } = given();
    const answer = await refused(node, 'ADD', { containerId: 'abcd', netns: pod.path, ...call });
    expectWords(answer, code, message);
  });
}
