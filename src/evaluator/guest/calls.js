// Host calls: what `ctx.call` and `ctx.fetch` ask, and the answers.
({ host, NativePromise, parse, stringify, slice, indexOf, define }) => {
  let lastId = 0;
  const pending = { __proto__: null };

  /** Makes an error what the host says it is: a name, and a message on the next line. */
  const become = (error, description) => {
    const nameEnd = indexOf(description, '\n');
    define(error, 'message', slice(description, nameEnd + 1));
    return define(error, 'name', slice(description, 0, nameEnd));
  };

  /** A promise of what the host answers. It rejects with `failure`, which was made where the task has called. */
  const request = (letter, text, failure) =>
    new NativePromise((fulfil, reject) => {
      const id = ++lastId;
      pending[id] = { fulfil, reject, failure };
      host(`${letter}${id}\n${text}`);
    });

  return {
    become,
    request,

    call: async (name, ...args) => request('C', `${name}\n${stringify(args)}`, new Error()),

    /** V value as JSON · E error's message · D why it was denied · L name of a limit, and what it allows. */
    reply: (id, answer) => {
      const waiting = pending[id];
      if (waiting === undefined) return;
      delete pending[id];
      const { fulfil, reject, failure } = waiting;
      const text = slice(answer, 1);
      switch (answer[0]) {
        case 'V':
          fulfil(parse(text));
          break;
        case 'D':
          reject(become(failure, `CapabilityDenied\n${text}`));
          break;
        case 'L':
          reject(become(failure, text));
          break;
        default:
          reject(define(failure, 'message', text));
      }
    },
  };
};
