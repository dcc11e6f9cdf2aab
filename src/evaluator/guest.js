// What runs inside the sandbox before any task does: it gives the engine a console, timers and `ctx`, and turns what
// the task does into messages to the host. It runs once, before the pristine memory is kept, so whatever a task does
// to its globals, the next run finds them as they were.
//
// Nothing here is a wall. A task can get hold of every function of this file (through the call sites of an error, say)
// and call it as it likes: the worst that it can do is to lie about its own run. The wall is the host's side of
// `host(message)`, which takes one string and believes none of it. Intrinsics are still taken beforehand, so that a
// task that changes them, by accident or for a polyfill, gets its result out.
//
// A message is a letter and a text: D result as JSON · N error: the result is not JSON · E error · M no default export
// · L log line · C host call: id, name, arguments as JSON · F fetch: id, request as JSON · T timer: id, ms · X timer cleared: id.
(host) => {
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { then } = Promise.prototype;
  const resolve = Promise.resolve.bind(Promise);
  const now = Date.now;
  const slice = String.prototype.slice;

  const MESSAGE_CHARS = 2048;
  const STACK_CHARS = 4096;
  const ARGUMENT_CHARS = 64 * 1024;

  const cut = (text, chars) => (text.length > chars ? apply(slice, text, [0, chars]) : text);

  const textOf = (object, key) => {
    try {
      const value = object[key];
      return value === undefined ? undefined : String(value);
    } catch {
      return '[a getter threw]';
    }
  };

  /** Any value, readable, for logs and messages. */
  const show = (value) => {
    try {
      if (typeof value === 'string') return value;
      if (typeof value === 'bigint') return `${value}n`;
      if (typeof value === 'function') return `[function ${value.name}]`;
      if (Error.isError(value)) return `${value.name}: ${value.message}`;
      const json = typeof value === 'object' ? stringify(value) : undefined;
      return json === undefined ? String(value) : json;
    } catch {
      return '[unprintable]';
    }
  };

  /** Anything that can be thrown, as JSON. */
  const describe = (thrown) => {
    const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
    return stringify({
      __proto__: null,
      name: isObject ? cut(textOf(thrown, 'name') ?? 'Error', 128) : 'Thrown',
      message: cut((isObject ? textOf(thrown, 'message') : undefined) ?? show(thrown), MESSAGE_CHARS),
      stack: isObject ? cut(textOf(thrown, 'stack') ?? '', STACK_CHARS) : undefined,
    });
  };

  const fail = (thrown) => {
    host(`E${describe(thrown)}`);
  };

  const done = (value) => {
    let json;
    try {
      if (typeof value === 'function' || typeof value === 'symbol') {
        throw new TypeError(`the result is a ${typeof value}; a JSON value is allowed, or undefined`);
      }
      json = stringify(value);
    } catch (error) {
      host(`N${describe(error)}`);
      return;
    }
    host(json === undefined ? 'Dnull' : `D${json}`);
  };

  const settle = (value) => {
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      let isThenable;
      try {
        isThenable = typeof value.then === 'function';
      } catch (error) {
        fail(error);
        return;
      }
      if (isThenable) {
        apply(then, resolve(value), [done, fail]);
        return;
      }
    }
    done(value);
  };

  const start = (namespace) => {
    try {
      if (!('default' in namespace)) {
        host('M');
        return;
      }
      const task = namespace.default;
      settle(typeof task === 'function' ? task(ctx) : task);
    } catch (error) {
      fail(error);
    }
  };

  let lastId = 0;
  const calls = { __proto__: null };
  const timers = { __proto__: null };

  const request = (letter, text) =>
    new Promise((fulfil, reject) => {
      const id = ++lastId;
      calls[id] = { fulfil, reject };
      host(`${letter}${id}\n${text}`);
    });

  const call = async (name, ...args) => request('C', `${String(name)}\n${stringify(args)}`);
  const fetch = async (resource) => request('F', stringify({ url: String(resource?.url ?? resource) }));

  const log = (...values) => {
    let line = '';
    for (let i = 0; i < values.length; i++) line += (i > 0 ? ' ' : '') + cut(show(values[i]), ARGUMENT_CHARS);
    host(`L${line}`);
  };

  // mulberry32: small, and good enough for jitter and sampling. It is not for secrets.
  let random = 0;
  const seedRandom = (seed) => {
    random = 0x811c9dc5;
    for (let i = 0; i < seed.length; i++) random = Math.imul(random ^ seed.charCodeAt(i), 0x01000193);
  };
  Math.random = {
    random() {
      random = (random + 0x6d2b79f5) | 0;
      let mixed = Math.imul(random ^ (random >>> 15), random | 1);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  }.random;

  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });

  define('console', { log, info: log, warn: log, error: log, debug: log });
  define('setTimeout', function setTimeout(callback, delayMs = 0, ...args) {
    if (typeof callback !== 'function') throw new TypeError('setTimeout needs a function');
    const id = ++lastId;
    const refusal = host(`T${id}\n${+delayMs}`);
    if (refusal !== undefined) throw new RangeError(refusal);
    timers[id] = { callback, args };
    return id;
  });
  define('clearTimeout', function clearTimeout(id) {
    if (timers[id] === undefined) return;
    delete timers[id];
    host(`X${id}`);
  });

  let ctx;

  return [
    /** begin: the run's context, its seed, and whether `ctx` is a global. */
    (json, seed, isScript) => {
      seedRandom(seed);
      ctx = parse(json);
      ctx.now = () => now();
      ctx.log = log;
      ctx.call = call;
      ctx.fetch = fetch;
      if (isScript) define('ctx', ctx);
    },

    /** script: its completion value. */
    settle,

    /** module: its namespace. */
    start,

    /** evaluation: the promise of a module's namespace. */
    (evaluation) => {
      apply(then, evaluation, [start, fail]);
    },

    /** fail: something was thrown where no promise caught it. */
    fail,

    /** reply: to a host call. V value as JSON · E error · D denied. */
    (id, answer) => {
      const waiting = calls[id];
      if (waiting === undefined) return;
      delete calls[id];
      const text = apply(slice, answer, [1]);
      if (answer[0] === 'V') {
        waiting.fulfil(parse(text));
        return;
      }
      const error = new Error(text);
      if (answer[0] === 'D') error.name = 'CapabilityDenied';
      waiting.reject(error);
    },

    /** fire: a timer is due. */
    (id) => {
      const timer = timers[id];
      if (timer === undefined) return;
      delete timers[id];
      try {
        timer.callback(...timer.args);
      } catch (error) {
        fail(error);
      }
    },
  ];
};
