/** The same code in the sandbox and in Node, and the same result. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { PlainNode } from '../../support/plain-node.ts';
import type { Bench } from './bench.ts';

/** `code` is a function of a JSON value. */
export type SameAsNode = (code: string, input?: unknown) => Promise<void>;

export function sameAsNode(bench: Bench): SameAsNode {
  let node: PlainNode;
  beforeAll(() => {
    node = new PlainNode();
  });
  afterAll(() => node.close());
  return async (code, input = null) => {
    const inside = await bench.value(`export default (ctx) => (${code})(ctx.input)`, { context: { input } });
    expect(inside).toEqual(await node.call(code, input));
  };
}

/** A function that tells what an expression comes to, or which error. */
export const telling = (expression: string): string =>
  `() => { try { return ${expression} } catch (error) { return [error.name, error.code ?? null, error.message] } }`;
