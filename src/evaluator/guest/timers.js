// Timers. The host keeps the time, and says which one is due.
({ host, become, fail }) => {
  let lastId = 0;
  const pending = { __proto__: null };

  /** Asks the host to wake the run. */
  const arm = (id, delayMs) => {
    const refusal = host(`T${id}\n${delayMs}`);
    if (refusal !== undefined) throw become(new Error(), refusal);
  };

  const set = (callback, delayMs, args, everyMs) => {
    if (typeof callback !== 'function') throw new TypeError(`a timer calls a function, and not ${typeof callback}`);
    const id = ++lastId;
    arm(id, delayMs);
    pending[id] = { callback, args, everyMs };
    return id;
  };

  const clear = (id) => {
    if (pending[id] === undefined) return;
    delete pending[id];
    host(`X${id}`);
  };

  return {
    timers: {
      clearImmediate: (id) => clear(id),
      setImmediate: (callback, ...args) => set(callback, 0, args),
      clearInterval: (id) => clear(id),
      clearTimeout: (id) => clear(id),
      setInterval: (callback, delayMs, ...args) => set(callback, +delayMs, args, +delayMs),
      setTimeout: (callback, delayMs, ...args) => set(callback, +delayMs, args),
    },

    /** A timer is due. */
    fire: (id) => {
      const timer = pending[id];
      if (timer === undefined) return;
      const { callback, args, everyMs } = timer;
      try {
        if (everyMs === undefined) delete pending[id];
        else arm(id, everyMs);
        callback(...args);
      } catch (error) {
        fail(error);
      }
    },
  };
};
