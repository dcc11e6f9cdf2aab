import { describe, expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';

const MIB = 1024 * 1024;
const BRIEF = { wallMs: 150, cpuMs: 150 };

export function limitTests(bench: Bench): void {
  test.each([
    ['a loop', 'for (;;);'],
    ['a loop after an await', 'export default async () => { await null; for (;;); }'],
    ['a loop at the top of a module', 'for (;;); export default 1'],
    ['a loop of microtasks', 'const again = () => Promise.resolve().then(again); again(); new Promise(() => {})'],
    ['a loop that catches everything', 'for (;;) { try { for (;;); } catch {} finally { for (;;); } }'],
    ['a loop in a timer', 'setTimeout(() => { for (;;); }, 1); new Promise(() => {})'],
    ['a loop in a getter of the result', '({ get a() { for (;;); } })'],
    ['a loop in a getter of the error', 'throw { get message() { for (;;); } }'],
    ['a loop in what is logged', 'ctx.log(new Proxy({}, { ownKeys() { for (;;); } }))'],
    ['a regular expression that explodes', '/^(a+)+$/.test("a".repeat(40) + "!")'],
    ['waiting', 'new Promise((resolve) => setTimeout(resolve, 1e6))'],
    ['a timer that comes again and again', 'const again = () => setTimeout(again, 1); again(); new Promise(() => {})'],
  ])('%s ends with its time', async (_what, source) => {
    const outcome = await bench.outcome(source, { limits: BRIEF });
    expect(outcome).toMatchObject({ status: 'timed-out', error: { class: 'Timeout' } });
    expect(outcome.usage.wallMs).toBeGreaterThanOrEqual(150);
  });

  test('time in the sandbox is counted apart from time that passes', async () => {
    const source = 'export default async () => { await new Promise((r) => setTimeout(r, 300)); return 1 }';
    const { status, usage } = await bench.outcome(source, { limits: { cpuMs: 250 } });
    expect(status).toBe('succeeded');
    expect(usage.cpuMs).toBeLessThan(usage.wallMs);
    expect(await bench.error('for (;;);', { limits: { cpuMs: 100 } })).toMatchObject({
      class: 'Timeout',
      message: expect.stringContaining('100 ms'),
    });
  });

  test.each([
    ['a list that grows', 'const a = []; for (;;) a.push({})'],
    ['a string that grows', 'let s = "x"; for (;;) { s += s; s.indexOf("y") }'],
    ['one large buffer', 'new ArrayBuffer(1e9)'],
    ['many buffers', 'const a = []; for (;;) a.push(new Uint8Array(1e5))'],
    [
      'a closure that keeps all',
      'let f = () => 1; for (;;) { const g = f; const b = new Array(100).fill(0); f = () => [g, b] }',
    ],
  ])('memory is bounded: %s', async (_what, source) => {
    const outcome = await bench.outcome(source, { limits: { memoryBytes: 8 * MIB } });
    expect(outcome).toMatchObject({ status: 'failed', error: { class: 'Memory' } });
    expect(outcome.usage.peakBytes).toBeLessThanOrEqual(9 * MIB);
  });

  test('a task may catch that it has no more memory, and go on', async () => {
    const source = 'try { new ArrayBuffer(1e9) } catch (error) { error.message }';
    expect(await bench.value(source, { limits: { memoryBytes: 8 * MIB } })).toBe('out of memory');
  });

  test('each run has its own memory limit, and all of it', async () => {
    const source = 'new Uint8Array(6e6).fill(1).length';
    for (let i = 0; i < 20; i++) {
      expect(await bench.value(source, { limits: { memoryBytes: 8 * MIB } })).toBe(6e6);
      expect(await bench.error(source, { limits: { memoryBytes: 4 * MIB } })).toMatchObject({ class: 'Memory' });
    }
  });

  test.each([
    ['a function that calls itself', 'const f = () => f() + 1; f()'],
    ['a getter that reads itself', 'const o = { get a() { return this.a } }; o.a'],
    ['deep JSON', 'JSON.parse("[".repeat(1e5))'],
    ['a proxy of proxies', 'let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x'],
  ])('the stack is bounded: %s', async (_what, source) => {
    const { class: errorClass, name } = await bench.error(source);
    expect([errorClass, name]).toEqual(['StackOverflow', 'RangeError']);
  });

  test('a result may have so many bytes, and not one more', async () => {
    const limits = { resultBytes: 1000 };
    expect(await bench.value('"ü".repeat(499)', { limits })).toHaveLength(499);
    expect(await bench.error('"ü".repeat(499) + "x"', { limits })).toMatchObject({
      class: 'ResultTooLarge',
      message: expect.stringContaining('1001'),
    });
  });

  test('a result so deep that writing it again would overflow the host is refused', async () => {
    const nest = (levels: number) => `let a = []; for (let i = 1; i < ${levels}; i++) a = [a]; a`;
    expect(await bench.error(nest(2000))).toMatchObject({ class: 'ResultTooLarge' });
    expect(JSON.stringify(await bench.value(nest(500)))).toHaveLength(1000);
  });

  test('brackets in strings are not levels', async () => {
    expect(await bench.value('"[{".repeat(2000) + \'"[\'')).toHaveLength(4002);
  });

  test('logs beyond their lines or bytes are dropped, and that is told', async () => {
    const lines = await bench.outcome('for (let i = 0; i < 9; i++) ctx.log(i)', { limits: { logLines: 3 } });
    expect(lines).toMatchObject({ status: 'succeeded', logs: ['0', '1', '2'], truncated: true });
    const bytes = await bench.outcome('ctx.log("aaaa"); ctx.log("üüüü"); ctx.log("b")', { limits: { logBytes: 9 } });
    expect(bytes).toMatchObject({ status: 'succeeded', logs: ['aaaa', 'üü'], truncated: true });
    const none = await bench.outcome('ctx.log("a")', { limits: { logBytes: 0 } });
    expect(none).toMatchObject({ logs: [], truncated: true });
  });

  test('a source may have so many bytes, and not one more', async () => {
    const limits = { sourceBytes: 100 };
    expect(await bench.value('1'.padEnd(100), { limits })).toBe(1);
    expect(await bench.error('1'.padEnd(101), { limits })).toMatchObject({
      class: 'SourceTooLarge',
      message: expect.stringContaining('101'),
    });
  });

  test('a source of the largest size runs', async () => {
    const source = `const table = [${'"abcdefg",'.repeat(6000)}]; table.length`;
    expect(await bench.value(source)).toBe(6000);
  });

  test('the stack may be made smaller', async () => {
    const source = 'let depth = 0; const f = () => { depth++; f() }; try { f() } catch {} depth';
    const [large, small] = [
      await bench.value(source),
      await bench.value(source, { limits: { stackBytes: 32 * 1024 } }),
    ];
    expect(small).toBeLessThan((large as number) / 4);
    expect(await bench.error('const f = () => f() + 1; f()', { limits: { stackBytes: 32 * 1024 } })).toMatchObject({
      class: 'StackOverflow',
    });
    expect(await bench.value(source)).toBe(large);
  });

  describe('host calls', () => {
    const next = () => 1;
    const four = 'const calls = (ctx) => Array.from({ length: 4 }, () => ctx.call("next"));';

    test('are counted', async () => {
      const source = `${four} export default async (ctx) => {
        for (let i = 0; i < 3; i++) await ctx.call('next');
        return ctx.call('next').catch((error) => [error.name, error.message]);
      }`;
      const outcome = await bench.outcome(source, { limits: { hostCalls: 3 }, capabilities: { next } });
      expect(outcome.value).toEqual(['HostCallLimit', expect.stringContaining('no more than 3 host calls')]);
      expect(outcome.usage.hostCalls).toBe(3);
    });

    test.each([
      ['HostCallLimit', { hostCalls: 3 }],
      ['ConcurrencyLimit', { concurrentCalls: 3 }],
    ])('beyond a limit fail as %s, unless the task catches it', async (errorClass, limits) => {
      const all = `${four} export default async (ctx) => (await Promise.all(calls(ctx))).length`;
      expect(await bench.error(all, { limits, capabilities: { next } })).toMatchObject({
        class: errorClass,
        name: errorClass,
      });
      const settled = `${four} export default async (ctx) => (await Promise.allSettled(calls(ctx))).map((s) => s.status)`;
      expect(await bench.value(settled, { limits, capabilities: { next } })).toEqual([
        ...Array(3).fill('fulfilled'),
        'rejected',
      ]);
    });

    test('pending at a time are counted, not those that were', async () => {
      const source = `${four} export default async (ctx) => {
        for (let i = 0; i < 6; i++) await ctx.call('next');
        return 'done';
      }`;
      expect(await bench.value(source, { limits: { concurrentCalls: 1 }, capabilities: { next } })).toBe('done');
    });
  });

  test('pending timers are counted', async () => {
    const source = 'for (let i = 0; i < 6; i++) setTimeout(() => {}, 1e6)';
    expect(await bench.error(source, { limits: { timers: 5 } })).toMatchObject({
      class: 'TimerLimit',
      name: 'TimerLimit',
      message: expect.stringContaining('5 timers'),
    });
    const oneAfterAnother = `export default async () => {
      for (let i = 0; i < 6; i++) await new Promise((resolve) => setTimeout(resolve, 1));
      return 'done';
    }`;
    expect(await bench.value(oneAfterAnother, { limits: { timers: 1 } })).toBe('done');
  });
}
