// What a task finds on globalThis, as in Node: in the same order, and what can be listed there can be listed here.
({ use, define, defineProperty, ownKeys, timers }) => {
  const { queueMicrotask, atob, btoa, performance } = globalThis;

  // With it a result could say what is no JSON value, such as 1e999.
  delete JSON.rawJSON;
  delete JSON.isRawJSON;

  const place = (values) => {
    for (const name of ownKeys(values)) {
      delete globalThis[name];
      define(globalThis, name, values[name], true);
    }
  };

  /** A global that is made when a task touches it. */
  const placeLater = (name, chapter, enumerable = false) =>
    defineProperty(globalThis, name, {
      get: () => use(chapter)[name],
      set: (value) => define(globalThis, name, value, enumerable),
      enumerable,
      configurable: true,
    });

  place({ ...timers, queueMicrotask });
  placeLater('structuredClone', 'clone', true);
  place({ atob, btoa, performance });
  placeLater('crypto', 'crypto', true);
  placeLater('URL', 'url');
  placeLater('URLSearchParams', 'search-params');
  placeLater('AbortController', 'abort');
  placeLater('AbortSignal', 'abort');
  placeLater('TextEncoder', 'text');
  placeLater('TextDecoder', 'text');
  placeLater('Headers', 'headers');
  placeLater('Response', 'fetch');
};
