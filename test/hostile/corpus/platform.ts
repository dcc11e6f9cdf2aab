/** What the platform adds to the language: code that comes late, looks at everything, and asks the host. */
import { type HostileCase, ITS_OWN_LOSS, STARVED, STOPPED, TOO_DEEP } from '../case.ts';

const HELD = 'hang the guest, or whoever answers it';

export const platform: readonly HostileCase[] = [
  {
    name: 'parts of the guest that are loaded after everything was replaced',
    forbids: 'hand out the door to the host',
    code: `const caught = []; const keep = (value) => { caught.push(value); return value };
      const { apply, ownKeys } = Reflect; const { iterator } = Symbol; const walk = Array.prototype[iterator];
      Error.prepareStackTrace = (_error, sites) => { for (let i = 0; i < sites.length; i++) keep(sites[i].getFunction?.()); return '' };
      for (const key of ['guest', 'host', 'use', 'ask', 'part', 'CUSTOM', 'missing'])
        Object.defineProperty(Object.prototype, key, { configurable: true, get() { keep(this); new Error().stack; return undefined }, set(value) { keep(value); keep(this) } });
      Array.prototype[iterator] = function () { keep(this); new Error().stack; return apply(walk, this, []) };
      Function.prototype.bind = Function.prototype.call = Function.prototype.apply = function (...list) { keep(this); keep(list); return this };
      for (const name of ['URL', 'TextEncoder', 'TextDecoder', 'URLSearchParams', 'Headers', 'Response', 'AbortController', 'crypto', 'structuredClone']) try { keep(globalThis[name]); new globalThis[name]('x:y') } catch (error) { keep(error) }
      for (const key of ['guest', 'host', 'use', 'ask', 'part', 'CUSTOM', 'missing']) delete Object.prototype[key];
      Array.prototype[iterator] = walk;
      let found = 0; const seen = new Set();
      for (let i = 0; i < caught.length && i < 5000; i++) {
        const value = caught[i]; if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) continue; seen.add(value);
        if (typeof value === 'function' && value.name === 'host') found++;
        for (const key of ownKeys(value)) try { if (key === 'host' && typeof value[key] === 'function') found++; caught.push(value[key]) } catch {}
      }
      return found`,
    ends: ITS_OWN_LOSS,
    never: /"value":[1-9]/,
  },
  {
    name: 'a way to look that loops',
    forbids: 'hang whoever writes the log',
    code: `ctx.log({ [Symbol.for('nodejs.util.inspect.custom')]() { for (;;); } })`,
    ends: STOPPED,
  },
  {
    name: 'a way to look that looks again, for ever',
    forbids: 'overflow whoever writes the log',
    code: `const again = () => ({ [Symbol.for('nodejs.util.inspect.custom')]: (_depth, _options, inspect) => inspect(again()) }); ctx.log(again()); return 'logged'`,
    ends: [...TOO_DEEP, 'succeeded', 'Thrown'],
  },
  {
    name: 'a way to look that is huge',
    forbids: 'fill the memory of the host',
    code: `for (let i = 0; i < 50; i++) console.dir({ [Symbol.for('nodejs.util.inspect.custom')]: () => 'x'.repeat(1e6) }); return 'logged'`,
    ends: ['succeeded', ...STARVED],
  },
  {
    name: 'prototypes without end',
    forbids: 'hang whoever writes the log',
    code: `const endless = { getPrototypeOf: () => new Proxy({}, endless), get: () => undefined, ownKeys: () => [] }; ctx.log(new Proxy({}, endless)); return 'logged'`,
    ends: [...STARVED, 'succeeded'],
  },
  {
    name: 'directives with hostile values',
    forbids: 'make logging throw, or run for ever',
    code: `console.log('%s %d %i %f %j %o %O %c %%' + '%s'.repeat(5000), { toString() { throw 1 } }, 1n, Symbol('s'), { valueOf() { throw 2 } }, [[[[[[1]]]]]], new Proxy({}, {}), Object.create(null)); console.log('%s'.repeat(1e5), ...Array(100)); return 'logged'`,
    ends: ['succeeded', 'Thrown'],
  },
  {
    name: 'groups, counts and times under names of prototypes',
    forbids: 'break the console for the next run',
    code: `for (const label of ['__proto__', 'constructor', 'toString', '\\ud800', 'x'.repeat(1e5)]) { console.count(label); console.time(label); console.timeEnd(label); console.countReset(label) } for (let i = 0; i < 1e4; i++) console.group(); console.log('deep'); return 'logged'`,
    ends: ['succeeded', 'Timeout'],
  },
  {
    name: 'addresses that are none',
    forbids: HELD,
    code: `const ends = []; for (const text of ['', 'x'.repeat(1e6), 'http://' + 'a.'.repeat(2e4), 'http://[' + ':'.repeat(5e4), 'javascript:' + '%'.repeat(5e4), 'http://\\ud800', 'file:///etc/passwd', 'http://a:' + '9'.repeat(1e4), '\\0', 'http://xn--' + 'a'.repeat(5e3)]) for (const act of [() => new URL(text), () => URL.canParse(text), () => new URL(text, 'http://x'), () => new URL('/', text)]) try { ends.push(typeof act()) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded', 'Timeout'],
    value: 40,
  },
  {
    name: 'parts of an address that are no parts',
    forbids: 'set a property of the host that is none of the address',
    code: `const url = new URL('http://u:p@h:1/p?q#h'); const ends = []; for (const part of ['href', 'protocol', 'host', 'port', 'search', 'hash', 'username', 'pathname']) for (const value of ['', '\\0', '\\ud800', 'x'.repeat(1e4), { toString() { throw new Error('part') } }, '__proto__', 'javascript:', '\\r\\nHost: x']) try { url[part] = value; ends.push(String(url).length > 0) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded'],
    value: 64,
  },
  {
    name: 'questions to the host with intrinsics replaced',
    forbids: 'break whoever answers',
    code: `Uint8Array.prototype.toBase64 = () => 'x'.repeat(200) + '\\n"]}'; Uint8Array.fromBase64 = () => ({ length: 2 ** 53 }); const ends = [];
      for (const act of [() => new TextDecoder().decode(new Uint8Array(10)), () => new TextEncoder().encode('x'), () => new TextDecoder('utf-16').decode(new Uint8Array(3), { stream: true }), () => new TextDecoder('x'.repeat(1e5)), () => new TextDecoder('\\n f.AAAA')]) try { ends.push(typeof act()) } catch (error) { ends.push(typeof error) } return ends.length`,
    ends: ['succeeded', 'Thrown', 'Timeout', 'Memory'],
    value: 5,
  },
  {
    name: 'texts and bytes of ten megabytes',
    forbids: 'take more than its memory, or outlive its time',
    code: `const bytes = new TextEncoder().encode('\\u20ac'.repeat(3e6)); return new TextDecoder().decode(bytes).length`,
    ends: ['succeeded', ...STARVED],
    value: 3_000_000,
  },
  {
    name: 'copies of what goes deep, in circles or on for ever',
    forbids: 'overflow or hang the guest',
    code: `let deep = {}; for (let i = 0; i < 1e5; i++) deep = { deep, also: deep }; try { structuredClone(deep) } catch {} const ring = { ring: new Map([[{}, new Set()]]) }; ring.self = ring; structuredClone(ring); return structuredClone({ get x() { for (;;); } })`,
    ends: [...TOO_DEEP, 'EngineTrap'],
  },
  {
    name: 'copies of buffers that change meanwhile',
    forbids: 'read or write outside of a buffer',
    code: `const buffer = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 20 }); const view = new Uint8Array(buffer, 8); const ends = [];
      for (const value of [{ a: { get b() { buffer.resize(4); return 1 } }, view }, [view, { get c() { buffer.transfer(); return 2 } }, view], new DataView(new ArrayBuffer(8)), Object.setPrototypeOf(new Uint8Array(4), DataView.prototype)]) try { ends.push(typeof structuredClone(value, { transfer: [] })) } catch (error) { ends.push(error.name) } try { structuredClone(1, { transfer: { *[Symbol.iterator]() { for (let i = 0; i < 1e4; i++) yield buffer } } }) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded', 'Thrown'],
  },
  {
    name: 'random bytes for strange arrays',
    forbids: 'write outside of a buffer',
    code: `const ends = []; const shrinking = new ArrayBuffer(64, { maxByteLength: 64 }); const view = new Uint8Array(shrinking, 32); shrinking.resize(16);
      for (const array of [view, new Uint8Array(65537), new Float64Array(4), new DataView(new ArrayBuffer(8)), {}, null, new Proxy(new Uint8Array(4), {}), Object.defineProperty(new Uint8Array(4), 'buffer', { value: new ArrayBuffer(1) }), Object.defineProperty(new Uint8Array(4), 'byteLength', { value: 1e9 })]) try { ends.push(typeof crypto.getRandomValues(array)) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded', 'Thrown'],
    value: 9,
  },
  {
    name: 'time zones that are none',
    forbids: 'reach a file of the host, or take its memory',
    code: `const ends = []; for (const timeZone of ['../../etc/passwd', 'x'.repeat(1e6), '\\0', '__proto__', 'Europe/Berlin\\n', {}, 7, '+25:00', ...Array.from({ length: 100 }, (_, i) => 'Etc/GMT+' + (i % 12))]) try { ends.push(typeof ctx.formatDate?.(new Date(0), { timeZone })) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded', 'Timeout'],
    value: 108,
  },
  {
    name: 'headers that break lines',
    forbids: 'forge a header or a request',
    code: `const ends = []; for (const [name, value] of [['a\\r\\nHost', 'x'], ['a', 'x\\r\\nHost: y'], ['', ''], ['__proto__', 'x'], ['constructor', 'y'], ['a', '\\0'], ['\\u20ac', 'x'], ['x'.repeat(1e5), 'y'.repeat(1e6)]]) try { const headers = new Headers([[name, value]]); ends.push([...headers].length) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded', 'Timeout'],
    value: 8,
  },
  {
    name: 'headers and parameters that never end',
    forbids: 'take memory or time without end',
    code: `const endless = { *[Symbol.iterator]() { for (let i = 0; ; i++) yield ['a' + i, 'b'] } }; try { new Headers(endless) } catch {} return new URLSearchParams(endless).size`,
    ends: STARVED,
  },
  {
    name: 'signals that abort each other',
    forbids: 'overflow the guest, or outlive its time',
    code: `const one = new AbortController(); const two = new AbortController(); one.signal.addEventListener('abort', () => { two.abort(); throw new Error('listener') }); two.signal.addEventListener('abort', () => one.abort()); one.abort(); for (let i = 0; i < 1e4; i++) AbortSignal.any?.([one.signal, two.signal]); return one.signal.aborted`,
    ends: ['succeeded', 'Thrown', 'Timeout'],
  },
  {
    name: 'signals with ten thousand timers',
    forbids: 'fill the memory of the host with timers',
    code: `for (let i = 0; i < 1e4; i++) AbortSignal.timeout(1e6); return 1`,
    ends: ['TimerLimit', 'Thrown', 'succeeded'],
  },
  {
    name: 'an interval without end',
    forbids: 'outlive its time',
    code: `setInterval(() => {}, 0); setInterval(() => ctx.log('tick'), -1); await new Promise(() => {})`,
    ends: STOPPED,
  },
  {
    name: 'an interval that sets intervals',
    forbids: 'have more timers than allowed',
    code: `const more = () => setInterval(more, 0); more(); await new Promise(() => {})`,
    ends: ['TimerLimit', 'Thrown', 'Timeout'],
  },
  {
    name: 'intervals after the result',
    forbids: 'run after their outcome',
    code: `setInterval(() => ctx.call('boom'), 1); setImmediate(() => ctx.call('boom')); return 'over'`,
    ends: ['succeeded'],
    value: 'over',
    callsAtMost: { boom: 0 },
  },
];
