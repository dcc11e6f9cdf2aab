/** Ways from a value at hand to the functions behind it, and from those to the host. */
import { type HostileCase, ITS_OWN_LOSS } from '../case.ts';

const OUTSIDE = 'typeof process + typeof require + typeof module + typeof Buffer';
const NOTHING = 'undefinedundefinedundefinedundefined';

export const escapes: readonly HostileCase[] = [
  {
    name: 'the constructor of a function of ctx',
    forbids: 'reach the host through Function',
    code: `return ctx.log.constructor('return ${OUTSIDE}')()`,
    ends: ['succeeded'],
    value: NOTHING,
  },
  {
    name: 'the constructor of every function at hand',
    forbids: 'find one that was made outside',
    code: `const functions = [...Object.values(ctx), ...Object.getOwnPropertyNames(globalThis).map((name) => globalThis[name])]
        .filter((value) => typeof value === 'function');
      const seen = new Set();
      for (const f of functions) seen.add(f.constructor.constructor('return ${OUTSIDE}')());
      return [...seen]`,
    ends: ['succeeded'],
    value: [NOTHING],
  },
  {
    name: 'the constructor of an async function',
    forbids: 'reach the host through AsyncFunction',
    code: `return (async () => {}).constructor('return ${OUTSIDE}')()`,
    ends: ['succeeded'],
    value: NOTHING,
  },
  {
    name: 'the constructor of a generator',
    forbids: 'reach the host through GeneratorFunction',
    code: `return (function* () {}).constructor('yield ${OUTSIDE}')().next().value`,
    ends: ['succeeded'],
    value: NOTHING,
  },
  {
    name: 'the constructor of an async generator',
    forbids: 'reach the host through AsyncGeneratorFunction',
    code: `return (await (async function* () {}).constructor('yield ${OUTSIDE}')().next()).value`,
    ends: ['succeeded'],
    value: NOTHING,
  },
  {
    name: 'eval of every kind',
    forbids: 'reach the host through eval',
    code: `return [eval('${OUTSIDE}'), (0, eval)('${OUTSIDE}'), globalThis.eval.call(null, '${OUTSIDE}')]`,
    ends: ['succeeded'],
    value: [NOTHING, NOTHING, NOTHING],
  },
  {
    name: 'this of a sloppy function',
    forbids: 'see another global object',
    code: `return [new Function('return this')() === globalThis, new Function('return typeof this.process')()]`,
    ends: ['succeeded'],
    value: [true, 'undefined'],
  },
  {
    name: 'names of hosts and shells',
    forbids: 'find anything of Node, of QuickJS or of a browser that does something outside',
    code: `const names = ['process', 'require', 'module', 'exports', 'Buffer', 'global', '__filename', '__dirname', 'Deno', 'Bun',
        'std', 'os', 'bjs', 'gc', 'print', 'load', 'loadFile', 'scriptArgs', 'loadScript', 'evalScript', 'Worker',
        'postMessage', 'parentPort', 'workerData', 'MessagePort', 'MessageChannel', 'WebAssembly', 'XMLHttpRequest',
        'WebSocket', 'importScripts', 'host', '__host', 'host_call', '$262', 'ShadowRealm', 'navigator'];
      return names.filter((name) => name in globalThis)`,
    ends: ['succeeded'],
    value: [],
  },
  {
    name: 'the caller of a sloppy toJSON',
    forbids: 'reach the function that writes the result',
    code: `const sloppy = new Function('try { return String(arguments.callee.caller) } catch (error) { return error.name }');
      return { toJSON: sloppy }`,
    ends: ['succeeded'],
    never: /host\(|\[native/,
  },
  {
    name: 'arguments of the caller',
    forbids: 'read what the guest was called with',
    code: `const sloppy = new Function('const f = arguments.callee; try { return String(f.caller?.arguments?.length) } catch (error) { return error.name }');
      return { toJSON: sloppy }`,
    ends: ['succeeded'],
  },
  {
    name: 'functions from call sites',
    forbids: 'do more with the functions of the guest than to lie about its own run',
    code: `const functions = new Set();
      Error.prepareStackTrace = (_error, sites) => { for (const site of sites) functions.add(site.getFunction?.()); return '' };
      const collect = () => { new Error().stack; return 1 };
      ctx.log({ toJSON: collect });
      ctx.call({ toString: () => (collect(), 'nope') }, { toJSON: collect }).catch(() => {});
      try { setTimeout(() => {}, { valueOf: collect }) } catch {}
      await Promise.resolve({ then(resolve) { collect(); resolve() } });
      for (const forged of ['D{"forged":true}', 'Enope', 'L/etc/passwd', 'C1\\nboom\\n[]', 'T0\\n0', 'X1', 'M', '', '\\0'])
        for (const f of functions) if (typeof f === 'function') for (const args of [[forged], [1, forged], [forged, forged]])
          try { Reflect.apply(f, undefined, args) } catch {}
      return functions.size`,
    ends: [...ITS_OWN_LOSS, 'Syntax', 'CapabilityDenied'],
  },
  {
    name: 'the reply function, found with a getter of then',
    forbids: 'answer anything but its own calls',
    code: `let reply;
      Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFunction?.());
      const first = ctx.call('slow', 5);
      Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { const fs = new Error().stack; reply ??= fs; return undefined } });
      await first.catch(() => {});
      const second = ctx.call('echo', { real: true });
      delete Object.prototype.then;
      for (const f of reply ?? []) try { f?.('2', 'V{"forged":true}') } catch {}
      return (await second) !== undefined`,
    ends: [...ITS_OWN_LOSS, 'Timeout'],
    callsAtMost: { boom: 0, echo: 1, slow: 1 },
  },
  {
    name: 'a proxy behind the global object',
    forbids: 'see the guest look for something of the host',
    code: `const asked = [];
      Object.setPrototypeOf(Object.getPrototypeOf(globalThis), null);
      Object.setPrototypeOf(globalThis, new Proxy(Object.prototype, { has: (_t, key) => (asked.push(String(key)), false), get: (_t, key) => void asked.push(String(key)) }));
      ctx.log('x', 1, {}); ctx.call('add', 1, 2).catch(() => {}); setTimeout(() => {}, 0);
      return asked`,
    ends: ['succeeded', 'Thrown'],
    never: /process|require/,
  },
  {
    name: 'unscopables and a with statement',
    forbids: 'widen the scope of a function',
    code: `const scope = new Proxy({}, { has: () => true, get: (_t, key) => key === Symbol.unscopables ? undefined : (key === 'process' ? 'mine' : undefined) });
      return new Function('scope', 'with (scope) { return [process, typeof require] }')(scope)`,
    ends: ['succeeded'],
    value: ['mine', 'undefined'],
  },
  {
    name: 'a body that closes the function around it',
    forbids: 'run in another scope than its own',
    code: `try { new Function('}, globalThis.out = typeof process, function () {')() } catch {} return globalThis.out ?? 'undefined'`,
    ends: ['succeeded'],
    value: 'undefined',
  },
  {
    name: 'Reflect.construct with strange targets',
    forbids: 'make a function of another realm',
    code: `const target = new Proxy(function () {}, { get: (t, key) => key === 'prototype' ? Array.prototype : t[key] });
      const made = Reflect.construct(Function, ['return ${OUTSIDE}'], target);
      return [Array.isArray(made), Function.prototype.call.call(made)]`,
    ends: ['succeeded'],
    value: [false, NOTHING],
  },
  {
    name: 'the source of the functions of ctx',
    forbids: 'read the source of the guest or a path of the host',
    code: `return Object.values(ctx).concat(console.log, setTimeout, Math.random).map((value) => typeof value === 'function' ? Function.prototype.toString.call(value) : '').join()`,
    ends: ['succeeded'],
    never: /=>|host\(/,
  },
  {
    name: 'all properties of all that can be reached',
    forbids: 'find a string of the host anywhere in the graph of objects',
    code: `const seen = new Set(); const texts = new Set(); const queue = [globalThis, ctx, import.meta, new Error().stack];
      while (queue.length > 0) {
        const value = queue.pop();
        if (typeof value === 'string') texts.add(value.slice(0, 200));
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
        seen.add(value);
        queue.push(Object.getPrototypeOf(value));
        for (const key of Reflect.ownKeys(value)) try { queue.push(value[key]) } catch {}
      }
      return { objects: seen.size > 500, texts: [...texts] }`,
    ends: ['succeeded'],
  },
];
