// A run, and its `ctx`: what the host calls, in the order of GUEST in host.ts.
({ host, use, parse, now, andThen, define, log, call, reply, fire, fail, settle }) => {
  const nowInside = () => now();
  const fetch = (...args) => use('fetch').fetch(...args);
  const formatDate = (...args) => use('dates').formatDate(...args);

  /**
   * What a task is given. It is made once, before the pristine memory is kept: a run only sets the values. They are its
   * own properties already, so nothing that a task has done to prototypes has a say in it.
   */
  const ctx = {
    taskId: '',
    slot: '',
    attempt: 0,
    fence: 0,
    idempotencyKey: '',
    input: null,
    state: null,
    now: nowInside,
    log,
    call,
    fetch,
    formatDate,
  };

  /** `json`: a list of what differs from run to run, in the order of quickjs.ts. */
  const setContext = (json) => {
    const values = parse(json);
    ctx.taskId = values[0];
    ctx.slot = values[1];
    ctx.attempt = values[2];
    ctx.fence = values[3];
    ctx.idempotencyKey = values[4];
    ctx.input = values[5];
    ctx.state = values[6];
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

  return {
    entries: [
      /** begin: before a script, to which `ctx` is a global. */
      (json) => {
        setContext(json);
        define(globalThis, 'ctx', ctx);
      },

      /** script: its completion value. */
      settle,

      /** module: the run's context, and the module's namespace. */
      (json, namespace) => {
        setContext(json);
        start(namespace);
      },

      /** evaluation: the promise of a module's namespace. */
      (json, evaluation) => {
        setContext(json);
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
