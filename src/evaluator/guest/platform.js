// How the platform's own objects are made: they look and behave like those that the engine brings.
({ assign, defineProperty, ownKeys, join, toWellFormed }) => {
  const opaque = [];

  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  /** As Web IDL's USVString. */
  const textOf = (value) => toWellFormed(`${value}`);

  /** An error with a code, as Node has them. */
  const coded = (error, code, more) => assign(error, { code, ...more });

  return {
    /** Under this name, as in Node, an object may have a method that says how it looks. */
    CUSTOM: Symbol.for('nodejs.util.inspect.custom'),

    isObject,
    textOf,
    coded,

    /** Gives an object a property. */
    define: (object, name, value, enumerable = false) =>
      defineProperty(object, name, { __proto__: null, value, writable: true, enumerable, configurable: true }),

    /** Arguments as texts. Those with names must be there; of the others, what is undefined stays so. */
    textsOf: (given, ...names) => {
      if (given.length < names.length) {
        const what = `The "${join(names, '" and "')}" argument${names.length > 1 ? 's' : ''} must be specified`;
        throw coded(new TypeError(what), 'ERR_MISSING_ARGS');
      }
      const texts = [];
      for (let i = 0; i < given.length; i++) {
        texts[i] = i >= names.length && given[i] === undefined ? undefined : textOf(given[i]);
      }
      return texts;
    },

    /** Classes whose objects are more than their properties. */
    opaque,

    /** A class of the platform: what it has can be listed, and its objects say what they are. */
    publish: (type) => {
      const { name, prototype } = type;
      for (const key of ownKeys(prototype)) {
        if (typeof key === 'string' && key !== 'constructor') defineProperty(prototype, key, { enumerable: true });
      }
      defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
      opaque[opaque.length] = type;
    },
  };
};
