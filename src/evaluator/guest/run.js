// A run, and its `ctx`: what the host calls, in the order of GUEST in host.ts.
({ host, use, parse, now, andThen, define, log, call, reply, fire, seedRandom, fail, settle }) => {
  const nowInside = () => now();
  const fetch = (...args) => use('fetch').fetch(...args);
  const formatDate = (...args) => use('dates').formatDate(...args);

  let ctx;

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

  return {
    entries: [
      /** begin: the run's context, its seed, and whether `ctx` is a global. */
      (json, seed, isScript) => {
        seedRandom(seed);
        ctx = parse(json);
        ctx.now = nowInside;
        ctx.log = log;
        ctx.call = call;
        ctx.fetch = fetch;
        ctx.formatDate = formatDate;
        if (isScript) define(globalThis, 'ctx', ctx);
      },

      /** script: its completion value. */
      settle,

      /** module: its namespace. */
      start,

      /** evaluation: the promise of a module's namespace. */
      (evaluation) => {
        andThen(evaluation, start, fail);
      },

      /** fail: something was thrown where no promise caught it. */
      fail,

      /** reply: to a host call. */
      reply,

      /** fire: a timer is due. */
      fire,
    ],
  };
};
