// The guest: what runs inside the sandbox before any task does. It gives the engine the platform that tasks expect, and
// turns what the task does into messages to the host. It runs once, before the pristine memory is kept, so whatever a
// task does to its globals, the next run finds them as they were.
//
// Nothing here is a wall. A task can get hold of every function of the guest (through the call sites of an error, say)
// and call it as it likes: the worst that it can do is to lie about its own run. The wall is the host's side of
// `host(message)`, which takes one string and believes none of it. Intrinsics are still taken beforehand, here, so that
// a task that changes them, by accident or for a polyfill, gets its result out.
//
// A message is a letter and a text: D result as JSON · N error: the result is not JSON · E error · M no default export
// · L log line · C host call: name, arguments as JSON · F fetch: request as JSON · T timer: id, ms · X timer cleared: id
// · S question to a service · B name of a chapter · R the run's seed is wanted.
//
// Every file is a function of what the files before it give, and adds to it. Those in this folder are the core; those
// in chapters/ come when a task first needs them, because every run pays for what is in the pristine memory.
() => {
  const { bind, call } = Function.prototype;
  const { getOwnPropertyDescriptor } = Object;

  /** Makes of a method a function that takes `this` first. */
  const uncurry = bind.bind(call);

  return {
    uncurry,
    getterOf: (prototype, name) => uncurry(getOwnPropertyDescriptor(prototype, name).get),

    charCodeAt: uncurry(String.prototype.charCodeAt),
    indexOf: uncurry(String.prototype.indexOf),
    replace: uncurry(String.prototype.replace),
    slice: uncurry(String.prototype.slice),
    split: uncurry(String.prototype.split),
    toLowerCase: uncurry(String.prototype.toLowerCase),
    toWellFormed: uncurry(String.prototype.toWellFormed),
    test: uncurry(RegExp.prototype.test),
    join: uncurry(Array.prototype.join),
    push: uncurry(Array.prototype.push),
    sort: uncurry(Array.prototype.sort),
    andThen: uncurry(Promise.prototype.then),

    NativePromise: Promise,
    resolve: Promise.resolve.bind(Promise),
    now: Date.now,
    parse: JSON.parse,
    stringify: JSON.stringify,
    isArray: Array.isArray,
    is: Object.is,
    assign: Object.assign,
    defineProperty: Object.defineProperty,
    getOwnPropertyDescriptor,
    getPrototypeOf: Object.getPrototypeOf,
    ownKeys: Reflect.ownKeys,
  };
};
