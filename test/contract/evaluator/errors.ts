import { describe, expect, test } from '@jest/globals';
import { programOf } from '../../../src/program.ts';
import type { Bench } from './bench.ts';

const STALLED = 'new Promise(() => {})';

export function errorTests(bench: Bench): void {
  test('an error says where in the task’s code it was thrown, and nothing of the host', async () => {
    const source = 'function inner(x) {\n  return x.y.z;\n}\nexport default async (ctx) => {\n  inner({});\n}';
    const error = await bench.error(source);
    expect(error).toMatchObject({ class: 'Thrown', name: 'TypeError' });
    expect(error.stack).toMatch(/inner \(task\.js:2:\d+\)/);
    expect(error.stack).toMatch(/task\.js:5:\d+/);
    expect(error.stack).not.toMatch(/guest|native|src\/|node:|\.ts/);
  });

  test('the line is right after an await, in a timer, and in a script', async () => {
    expect((await bench.error('export default async () => {\n await null;\n null.x\n}')).stack).toMatch(/task\.js:3/);
    expect((await bench.error(`setTimeout(() => {\n null.x\n}, 1);\n${STALLED}`)).stack).toMatch(/task\.js:2/);
    expect((await bench.error('\n\n\nnull.x')).stack).toMatch(/task\.js:4/);
  });

  test.each([
    ['an error of its own', 'class Odd extends Error { name = "Odd" }; throw new Odd("why")', 'Odd', 'why'],
    ['a string', 'throw "why"', 'Thrown', 'why'],
    ['null', 'throw null', 'Thrown', 'null'],
    ['an object', 'throw { code: 5 }', 'Error', '{ code: 5 }'],
    ['a rejection', 'Promise.reject(new RangeError("why"))', 'RangeError', 'why'],
    ['a thenable', '({ then(_, reject) { reject(new Error("why")) } })', 'Error', 'why'],
    ['a getter named then', '({ get then() { throw new Error("why") } })', 'Error', 'why'],
    ['a timer', `setTimeout(() => { throw new Error("why") }, 1); ${STALLED}`, 'Error', 'why'],
    ['a microtask', `queueMicrotask(() => { throw new Error("why") }); ${STALLED}`, 'Error', 'why'],
    [
      'an error with wild getters',
      'throw { get name() { throw 1 }, get message() { throw 1 } }',
      '[a getter threw]',
      '[a getter threw]',
    ],
  ])('what is thrown is reported: %s', async (_what, source, name, message) => {
    expect(await bench.outcome(source)).toMatchObject({ status: 'failed', error: { class: 'Thrown', name, message } });
  });

  test('logs from before the error are kept', async () => {
    expect(await bench.outcome('ctx.log("so far"); throw new Error("so bad")')).toMatchObject({ logs: ['so far'] });
  });

  describe('a promise that nothing can settle', () => {
    test.each([
      ['a result', STALLED],
      ['a top-level await', `await ${STALLED}; export default 1`],
      ['a cleared timer', 'new Promise((resolve) => clearTimeout(setTimeout(resolve, 1e6)))'],
    ])('is noticed at once: %s', async (_what, source) => {
      expect(await bench.error(source)).toMatchObject({ class: 'Stalled' });
    });
  });

  describe('code that does not parse', () => {
    test.each([
      ['a script', 'let x = 1;\nlet y = ;', /task\.js:2:9/],
      ['a module', 'export default () => {\n\n  let 5;\n}', /task\.js:3:7/],
    ])('says where: %s', async (_what, source, place) => {
      const error = await bench.error(source);
      expect(error).toMatchObject({ class: 'Syntax', name: 'SyntaxError' });
      expect(error.message).toMatch(place);
      expect(error.stack).toMatch(place);
      expect(await bench.evaluator.check(programOf(source))).toEqual(error);
    });

    test.each([
      ['no default export', 'export const task = 1', /default export/],
      ['an import', 'import fs from "node:fs"; export default 1', /import modules.*node:fs/],
      ['a re-export', 'export { default } from "./other.js"', /import modules/],
    ])('says what is allowed: %s', async (_what, source, message) => {
      expect(await bench.error(source)).toMatchObject({ class: 'Syntax', message: expect.stringMatching(message) });
      const refusal = await bench.evaluator.check(programOf(source));
      expect(refusal).toMatchObject({ class: 'Syntax', message: expect.stringMatching(message) });
    });

    test('an error of eval inside is the task’s own', async () => {
      expect(await bench.error('eval("let 5")')).toMatchObject({ class: 'Thrown', name: 'SyntaxError' });
    });
  });

  test('check finds nothing wrong with good code, and does not run it', async () => {
    for (const source of ['for (;;);', 'for (;;); export default 1', 'throw 1', 'await 1; export default () => 1']) {
      expect(await bench.evaluator.check(programOf(source))).toBeUndefined();
    }
  });
}
