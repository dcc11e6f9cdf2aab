// Headers, of requests and responses.
({ toLowerCase, replace, test, push, join, sort, CUSTOM, isObject, define, textsOf, publish, show, refuse }) => {
  const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;
  const PADDING = /^[\t\n\r ]+|[\t\n\r ]+$/g;
  const VALUE = /^[^\0\n\r\u0100-\uffff]*$/;

  const nameFrom = (text) => {
    if (!test(NAME, text)) throw new TypeError(refuse('header name', text, "letters, digits and !#$%&'*+-.^_`|~"));
    return toLowerCase(text);
  };

  const valueFrom = (text) => {
    const value = replace(text, PADDING, '');
    if (!test(VALUE, value)) throw new TypeError(refuse('header value', value, 'characters up to U+00FF, in one line'));
    return value;
  };

  class Headers {
    /** Names in lower case, and values; a name may be there several times. */
    #pairs = [];

    constructor(init = {}) {
      if (!isObject(init)) throw new TypeError(refuse('headers', init, 'an object, a list of pairs, Headers'));
      if (init[Symbol.iterator] === undefined) {
        for (const name of Object.keys(init)) this.append(name, init[name]);
        return;
      }
      for (const pair of init) {
        const parts = [...pair];
        if (parts.length !== 2) throw new TypeError(refuse('headers', parts, 'pairs of a name and a value'));
        this.append(...parts);
      }
    }

    append(...given) {
      const [name, value] = textsOf(given, 'name', 'value');
      push(this.#pairs, [nameFrom(name), valueFrom(value)]);
    }

    delete(...given) {
      const [name] = textsOf(given, 'name');
      this.#drop(nameFrom(name));
    }

    get(...given) {
      const [name] = textsOf(given, 'name');
      const values = this.#valuesOf(nameFrom(name));
      return values.length === 0 ? null : join(values, ', ');
    }

    has(...given) {
      const [name] = textsOf(given, 'name');
      return this.#valuesOf(nameFrom(name)).length > 0;
    }

    set(...given) {
      const [name, value] = textsOf(given, 'name', 'value');
      const pair = [nameFrom(name), valueFrom(value)];
      this.#drop(pair[0]);
      push(this.#pairs, pair);
    }

    getSetCookie() {
      return this.#valuesOf('set-cookie');
    }

    *keys() {
      for (const [name] of this.entries()) yield name;
    }

    *values() {
      for (const [, value] of this.entries()) yield value;
    }

    forEach(callback, self) {
      if (typeof callback !== 'function') throw new TypeError(refuse('callback', callback, 'a function'));
      for (const [name, value] of this.entries()) callback.call(self, value, name, this);
    }

    /** By name. Values of one name are one, but for cookies. */
    *entries() {
      const names = new Set();
      for (const [name] of this.#pairs) names.add(name);
      for (const name of sort([...names])) {
        const values = this.#valuesOf(name);
        if (name === 'set-cookie') for (const value of values) yield [name, value];
        else yield [name, join(values, ', ')];
      }
    }

    [CUSTOM]() {
      return `Headers ${show(Object.fromEntries(this.entries()))}`;
    }

    #valuesOf(name) {
      const values = [];
      for (const pair of this.#pairs) if (pair[0] === name) push(values, pair[1]);
      return values;
    }

    #drop(name) {
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== name);
    }
  }

  define(Headers.prototype, Symbol.iterator, Headers.prototype.entries);
  publish(Headers);

  return { Headers };
};
