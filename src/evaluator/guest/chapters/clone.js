// structuredClone: a deep copy of data, with its circles. What is more than data is refused.
({ uncurry, getterOf, getOwnPropertyDescriptor, getPrototypeOf, isArray, test, define, coded, opaque, refuse }) => {
  const typedArrayName = getterOf(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
  const tagOf = uncurry(Object.prototype.toString);

  const ERRORS = { __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const BOXED = /^\[object (?:Boolean|Number|String|BigInt)\]$/;
  /** Objects like any other to the language, but more than their properties. */
  const OPAQUE = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry, Iterator, SharedArrayBuffer];

  const refusal = (what) => new DOMException(`${what} could not be cloned.`, 'DataCloneError');

  const copyOfBuffer = (buffer) => {
    if (!buffer.resizable) return buffer.slice(0);
    const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
    new Uint8Array(copy).set(new Uint8Array(buffer));
    return copy;
  };

  const copyOfView = (view, known) => {
    const Type = globalThis[typedArrayName(view) ?? 'DataView'];
    return new Type(copyOf(view.buffer, known), view.byteOffset, view.length ?? view.byteLength);
  };

  /** A copy of an object in which nothing can lead back to it; undefined for any other. */
  const copyOfLeaf = (object, known) => {
    if (object instanceof Date) return new Date(+object);
    if (object instanceof RegExp) return new RegExp(object.source, object.flags);
    if (object instanceof ArrayBuffer) return copyOfBuffer(object);
    if (ArrayBuffer.isView(object)) return copyOfView(object, known);
    if (object instanceof DOMException) return new DOMException(object.message, object.name);
    return test(BOXED, tagOf(object)) ? Object(object.valueOf()) : undefined;
  };

  const emptyLike = (object) => {
    if (isArray(object)) return new Array(object.length);
    if (object instanceof Map) return new Map();
    if (object instanceof Set) return new Set();
    return Error.isError(object) ? new (ERRORS[`${object.name}`] ?? Error)() : {};
  };

  const fillError = (copy, error, known) => {
    const { value: message } = getOwnPropertyDescriptor(error, 'message') ?? {};
    if (message !== undefined) define(copy, 'message', `${message}`);
    if (Object.hasOwn(error, 'cause')) define(copy, 'cause', copyOf(error.cause, known));
    define(copy, 'stack', `${error.stack}`);
  };

  const fill = (copy, object, known) => {
    if (Error.isError(object)) {
      fillError(copy, object, known);
    } else if (object instanceof Map) {
      for (const [key, value] of [...object]) copy.set(copyOf(key, known), copyOf(value, known));
    } else if (object instanceof Set) {
      for (const value of [...object]) copy.add(copyOf(value, known));
    } else {
      for (const key of Object.keys(object)) {
        if (Object.hasOwn(object, key)) define(copy, key, copyOf(object[key], known), true);
      }
    }
  };

  const copyOf = (value, known) => {
    if (typeof value === 'symbol' || typeof value === 'function') throw refusal(String(value));
    if (typeof value !== 'object' || value === null) return value;
    const copied = known.get(value);
    if (copied !== undefined) return copied;
    if ([...OPAQUE, ...opaque].some((type) => value instanceof type) || tagOf(value) === '[object Symbol]') {
      throw refusal(`#<${value.constructor?.name}>`);
    }
    const leaf = copyOfLeaf(value, known);
    const copy = leaf ?? emptyLike(value);
    known.set(value, copy);
    if (leaf === undefined) fill(copy, value, known);
    return copy;
  };

  return {
    structuredClone(...given) {
      if (given.length === 0) throw coded(new TypeError('The "value" argument must be specified'), 'ERR_MISSING_ARGS');
      const [value, options] = given;
      const buffers = [...(options?.transfer ?? [])];
      for (const buffer of buffers) {
        if (buffer instanceof ArrayBuffer) continue;
        throw coded(new TypeError(refuse('transfer', buffer, 'ArrayBuffers')), 'ERR_INVALID_ARG_TYPE');
      }
      const copy = copyOf(value, new Map());
      for (const buffer of buffers) buffer.transfer();
      return copy;
    },
  };
};
