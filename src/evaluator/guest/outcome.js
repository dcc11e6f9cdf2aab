// What a run comes to: a result or an error, told to the host once.
({ host, stringify, resolve, andThen, slice, isObject, show }) => {
  const NAME_CHARS = 128;
  const MESSAGE_CHARS = 2048;
  const STACK_CHARS = 4096;

  const cut = (text, chars) => slice(text, 0, chars);

  const partOf = (object, key) => {
    try {
      const value = object[key];
      return value === undefined ? undefined : String(value);
    } catch {
      return '[a getter threw]';
    }
  };

  /** Anything that can be thrown, as JSON. */
  const describe = (thrown) => {
    const hasParts = isObject(thrown);
    return stringify({
      __proto__: null,
      name: hasParts ? cut(partOf(thrown, 'name') ?? 'Error', NAME_CHARS) : 'Thrown',
      message: cut((hasParts ? partOf(thrown, 'message') : undefined) ?? show(thrown), MESSAGE_CHARS),
      stack: hasParts ? cut(partOf(thrown, 'stack') ?? '', STACK_CHARS) : undefined,
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

  /** The run ends with this value, or with what it is a promise of. */
  const settle = (value) => {
    if (isObject(value)) {
      let isThenable;
      try {
        isThenable = typeof value.then === 'function';
      } catch (error) {
        fail(error);
        return;
      }
      if (isThenable) {
        andThen(resolve(value), done, fail);
        return;
      }
    }
    done(value);
  };

  return { fail, settle };
};
