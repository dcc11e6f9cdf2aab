/** Timers, microtasks, AbortSignal. */
import { describe, expect, test } from '@jest/globals';
import type { Bench } from './bench.ts';
import { sameAsNode } from './same-as-node.ts';

export function timerTests(bench: Bench): void {
  const same = sameAsNode(bench);

  test('timers fire in their order, can be cleared, and pass arguments', async () => {
    const source = `export default () => new Promise((resolve) => {
      const seen = [];
      setTimeout((...args) => resolve([...seen, ...args]), 60, 'x', 'y');
      setTimeout(() => seen.push('late'), 20);
      setTimeout(() => seen.push('early'), 1);
      clearTimeout(setTimeout(() => seen.push('never'), 5));
      clearTimeout(undefined);
    })`;
    expect(await bench.value(source)).toEqual(['early', 'late', 'x', 'y']);
  });

  test('microtasks come before timers', async () => {
    const source = `export default () => new Promise((resolve) => {
      const seen = [];
      setTimeout(() => resolve(seen), 0);
      queueMicrotask(() => seen.push('microtask'));
      seen.push('task');
    })`;
    expect(await bench.value(source)).toEqual(['task', 'microtask']);
  });

  test('an interval fires until it is cleared, with its arguments, in its time', async () => {
    const source = `export default () => new Promise((resolve) => {
      const start = Date.now();
      const seen = [];
      const id = setInterval((name) => {
        seen.push(name);
        if (seen.length < 3) return;
        clearInterval(id);
        setTimeout(() => resolve([seen, Date.now() - start]), 30);
      }, 10, 'tick');
    })`;
    const [seen, ms] = (await bench.value(source)) as [string[], number];
    expect(seen).toEqual(['tick', 'tick', 'tick']);
    expect(ms).toBeGreaterThanOrEqual(59);
  });

  test('an interval may be cleared by another timer, and goes on after it has thrown', async () => {
    const cleared = `export default () => new Promise((resolve) => {
      let n = 0;
      const id = setInterval(() => { n++ }, 5);
      setTimeout(() => { clearTimeout(id); const at = n; setTimeout(() => resolve([at > 0, n - at]), 40) }, 40);
    })`;
    expect(await bench.value(cleared)).toEqual([true, 0]);
    expect(await bench.error('setInterval(() => { throw new Error("why") }, 1); new Promise(() => {})')).toMatchObject({
      class: 'Thrown',
      message: 'why',
    });
  });

  test('an interval counts as one timer', async () => {
    const source = `export default () => new Promise((resolve) => {
      let n = 0;
      const id = setInterval(() => { if (++n === 5) { clearInterval(id); resolve(n) } }, 1);
    })`;
    expect(await bench.value(source, { limits: { timers: 1 } })).toBe(5);
  });

  test('an interval of nothing does not keep the run from its end', async () => {
    const source = 'setInterval(() => {}, 0); new Promise((resolve) => setTimeout(resolve, 20, "done"))';
    expect(await bench.value(source)).toBe('done');
  });

  test('immediates come before a timer of some time, and can be cleared', async () => {
    const source = `export default () => new Promise((resolve) => {
      const seen = [];
      setTimeout(() => resolve(seen), 20);
      setImmediate((name) => seen.push(name), 'immediate');
      clearImmediate(setImmediate(() => seen.push('never')));
    })`;
    expect(await bench.value(source)).toEqual(['immediate']);
  });

  test('a timer beyond the limit is refused where the task can catch it', async () => {
    const source = `try { for (;;) setTimeout(() => {}, 1000) } catch (error) { [error instanceof Error, error.name, error.stack] }`;
    expect(await bench.value(source, { limits: { timers: 3 } })).toEqual([
      true,
      'TimerLimit',
      expect.stringMatching(/task\.js:1/),
    ]);
  });

  test.each(['undefined', 'null', '"code"', '{}'])('a timer of %s is refused', async (callback) => {
    expect(await bench.error(`setTimeout(${callback}, 1)`)).toMatchObject({ name: 'TypeError' });
  });

  describe('giving up, as in Node:', () => {
    test.each([
      '() => { const c = new AbortController(); c.abort(); return [c.signal.aborted, c.signal.reason.name, c.signal.reason.code] }',
      '() => { const c = new AbortController(); c.abort("why"); c.abort("again"); return c.signal.reason }',
      '() => { const c = new AbortController(); let n = 0; c.signal.onabort = (e) => { n += e.type.length }; c.abort(); c.abort(); return n }',
      `() => { const c = new AbortController(); const seen = []; const f = (e) => seen.push(e.target === c.signal);
        c.signal.addEventListener('abort', f); c.signal.addEventListener('abort', f);
        const g = () => seen.push('never'); c.signal.addEventListener('abort', g); c.signal.removeEventListener('abort', g);
        c.signal.addEventListener('abort', { handleEvent() { seen.push('object') } }); c.abort(); return seen }`,
      '() => { try { AbortSignal.abort(5).throwIfAborted() } catch (reason) { return reason } }',
      '() => { try { new AbortSignal() } catch (error) { return error.name } }',
      '() => { const c = new AbortController(); const any = AbortSignal.any([c.signal, new AbortController().signal]); c.abort(3); return [any.aborted, any.reason] }',
      '() => { const any = AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]); return [any.aborted, any.reason] }',
      '() => Object.prototype.toString.call(new AbortController().signal)',
      '() => new Promise((resolve) => { const s = AbortSignal.timeout(5); s.onabort = () => resolve([s.aborted, s.reason.name]); setTimeout(() => {}, 50) })',
    ])('%s', (code) => same(code));
  });
}
