// Host calls: what `ctx.call` and `ctx.fetch` ask, and the answers.
({ host, NativePromise, parse, stringify, slice, indexOf, define }) => {
  /** By the numbers that the host gives them. */
  const pending = { __proto__: null };

  /** Makes an error what the host says it is: a name, and a message on the next line. */
  const become = (error, description) => {
    const nameEnd = indexOf(description, '\n');
    define(error, 'message', slice(description, nameEnd + 1));
    return define(error, 'name', slice(description, 0, nameEnd));
  };

  /** P number of a call that is pending · V value as JSON · E message · D why it was denied · L limit, what it allows. */
  const take = (answer, call) => {
    const { fulfil, reject, failure } = call;
    const text = slice(answer, 1);
    switch (answer[0]) {
      case 'P':
        pending[text] = call;
        break;
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
  };

  /** A promise of what the host answers. It rejects with `failure`, which was made where the task has called. */
  const request = (letter, text, failure) =>
    new NativePromise((fulfil, reject) => take(host(letter + text), { fulfil, reject, failure }));

  return {
    become,
    request,

    call: async (name, ...args) => request('C', `${name}\n${stringify(args)}`, new Error()),

    /** The answer to a call that was pending. */
    reply: (number, answer) => {
      const call = pending[number];
      if (call === undefined) return;
      delete pending[number];
      take(answer, call);
    },
  };
};
