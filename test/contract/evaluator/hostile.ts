import { describe, expect, test } from '@jest/globals';
import { type Bench, runOf } from './bench.ts';

const BRIEF = { wallMs: 150, cpuMs: 150 };

export function hostileTests(bench: Bench): void {
  describe('there is no way out through', () => {
    test.each([
      ['the constructor of a function', 'ctx.log.constructor("return typeof process + typeof require")()'],
      [
        'the constructor of an async function',
        '(async () => 1).constructor("return typeof process + typeof require")()',
      ],
      ['eval', '(0, eval)("typeof process + typeof require")'],
      ['this', '(function () { return typeof this.process + typeof this.require })()'],
      [
        'the caller',
        '(function () { "use strict"; try { return arguments.callee.caller } catch { return "undefinedundefined" } })()',
      ],
      ['console', 'console.log.constructor.constructor("return typeof process + typeof require")()'],
      [
        'the error of a capability',
        'ctx.call("nope").catch((e) => e.constructor.constructor("return typeof process + typeof require")())',
      ],
    ])('%s', async (_what, source) => {
      expect(await bench.value(source)).toBe('undefinedundefined');
    });

    test.each([
      ['import()', 'import("node:fs")'],
      ['import() in a module', 'export default () => import("node:child_process")'],
      ['import() of a file', 'import("file:///etc/passwd")'],
      ['import() of data', 'import("data:text/javascript,export default 1")'],
    ])('%s', async (_what, source) => {
      expect(await bench.error(source)).toMatchObject({ class: 'Thrown', name: 'ReferenceError' });
    });

    test('the call sites of an error: nothing of the host is among them', async () => {
      const source = `Error.prepareStackTrace = (error, sites) => sites.map((site) => String(site.getFileName?.()));
        const names = (() => { const e = new Error(); const s = e.stack; return Array.isArray(s) ? s : [s] })();
        ctx.call('nope').catch((e) => [...names, e.stack].flat().join())`;
      expect(await bench.value(source)).not.toMatch(/worker|src\/|node:|\.ts/);
    });
  });

  describe('an error cannot be passed off as one of the host', () => {
    test.each([
      ['interrupted', 'throw { name: "InternalError", message: "interrupted" }'],
      ['out of memory', 'throw { name: "InternalError", message: "out of memory" }'],
      ['a stack overflow', 'throw new RangeError("Maximum call stack size exceeded")'],
      ['a denied capability', 'const e = new Error("no"); e.name = "CapabilityDenied"; throw e'],
      ['a class of its own', 'throw { class: "EngineTrap", name: "EngineTrap", message: "x" }'],
      ['a syntax error', 'throw new SyntaxError("x (task.js:1:1)")'],
      ['a time-out', 'throw { name: "Timeout", message: "did not finish within 5 ms" }'],
      ['null, as without memory', 'throw null'],
    ])('%s', async (_what, source) => {
      expect(await bench.outcome(source)).toMatchObject({ status: 'failed', error: { class: 'Thrown' } });
    });

    test('nor its stack as a path of the host', async () => {
      const source = 'throw { name: "E", message: "m", stack: "at x (/etc/passwd:1:1)\\n at y (task.js:1:1)" }';
      expect((await bench.error(source)).stack).toBe('at y (task.js:1:1)');
    });
  });

  describe('a built-in function that runs for ever is ended, with its worker if need be, and the next run finds one:', () => {
    test.each([
      ['a join of holes', '[].join.call({ length: 1e9 }, "")'],
      ['a reverse of nothing', 'Array.prototype.reverse.call({ length: 2 ** 53 - 1 })'],
      ['an indexOf in nothing', 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)'],
    ])('%s', async (_what, source) => {
      expect(await bench.outcome(source, { limits: BRIEF })).toMatchObject({
        status: 'timed-out',
        error: { class: 'Timeout' },
      });
      expect(await bench.value('6 * 7')).toBe(42);
    });
  });

  describe('a flood of small questions, each of which takes the host longer than the task, is stopped like any loop:', () => {
    const zones = "['Etc/GMT+1', 'Etc/GMT+2', 'Asia/Tokyo', 'Asia/Seoul', 'Asia/Dhaka', 'Africa/Cairo', 'Europe/Rome']";
    test.each([
      ['URLs', 'for (;;) new URL("http://x/" + "\u00e9".repeat(20_000))'],
      ['time zones', `for (;;) for (const timeZone of ${zones}) ctx.formatDate(0, { timeZone, format: 'zzzz' })`],
      ['host calls that are too large', 'const x = "\\n".repeat(3e5); for (;;) ctx.call(x).catch(() => {})'],
      [
        'timers',
        'for (let i = 0; i < 9999; i++) setTimeout(() => {}, 1e6); for (;;) clearTimeout(setTimeout(() => {}, 1e9))',
      ],
    ])('%s', async (_what, source) => {
      const limits = { ...BRIEF, timers: 10_000 };
      expect((await bench.error(source, { limits })).name).toMatch(/^(?:Wall|Cpu)Timeout$/);
    });
  });

  test.each([
    ['a huge result', '"x".repeat(1e7)', 'ResultTooLarge'],
    ['a huge error', 'throw new Error("x".repeat(1e7))', 'Thrown'],
    ['a huge name', 'throw { name: "x".repeat(1e7), message: "" }', 'Thrown'],
    ['a huge stack', 'throw { name: "E", message: "", stack: "at x (task.js:1:1)\\n".repeat(1e6) }', 'Thrown'],
  ])('%s stays small outside', async (_what, source, errorClass) => {
    const error = await bench.error(source);
    expect(error.class).toBe(errorClass);
    expect(JSON.stringify(error).length).toBeLessThan(8192);
  });

  test('a flood of logs stays small outside', async () => {
    const source = 'for (let i = 0; i < 2000; i++) ctx.log("x".repeat(1e5)); 1';
    const { logs, truncated, status } = await bench.outcome(source);
    expect(status).toBe('succeeded');
    expect(logs.join('').length).toBeLessThanOrEqual(16 * 1024);
    expect(truncated).toBe(true);
  });

  test('a flood of host calls stays within its limit, and with huge arguments outside', async () => {
    let calls = 0;
    const source = `export default async (ctx) => {
      const ends = await Promise.allSettled(Array.from({ length: 500 }, (_, i) => ctx.call('count', i)));
      const huge = await ctx.call('count', 'x'.repeat(1e6)).catch((error) => error.message);
      return [ends.filter(({ status }) => status === 'fulfilled').length, huge];
    }`;
    const capabilities = { count: () => ++calls };
    const [fulfilled] = (await bench.value(source, {
      capabilities,
      limits: { hostCalls: 50, concurrentCalls: 500 },
    })) as [number];
    expect([fulfilled, calls]).toEqual([50, 50]);
    const large = 'ctx.call("count", "x".repeat(1e6)).catch((error) => error.message)';
    expect(await bench.value(large, { capabilities })).toMatch(/1000\d\d\d bytes/);
  });

  test('a thousand bad programs do no harm to the good one among them', async () => {
    const runs = Array.from({ length: 1000 }, (_, i) => runOf(i === 500 ? '"good"' : `bad ${i} (`));
    const outcomes = await bench.all(runs);
    expect(outcomes[500]).toMatchObject({ status: 'succeeded', value: 'good' });
    expect(outcomes.filter(({ error }) => error?.class === 'Syntax')).toHaveLength(999);
  });
}
