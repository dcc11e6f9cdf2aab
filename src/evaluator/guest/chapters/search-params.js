// URLSearchParams: a list of names and values, which may be the query of a URL.
({
  use,
  ownKeys,
  getOwnPropertyDescriptor,
  indexOf,
  replace,
  slice,
  split,
  push,
  join,
  sort,
  CUSTOM,
  isObject,
  textOf,
  textsOf,
  define,
  publish,
  coded,
  show,
  refuse,
}) => {
  const decode = (text) => {
    const spaced = replace(text, /\+/g, ' ');
    if (indexOf(spaced, '%') < 0) return spaced;
    try {
      return decodeURIComponent(spaced);
    } catch {
      // Something in it is no escape, or not UTF-8. Escapes in a row are decoded together.
      const decodeRun = (run) => use('text').decodeUtf8(Uint8Array.fromHex(replace(run, /%/g, '')), true);
      return replace(spaced, /(?:%[0-9a-f]{2})+/gi, decodeRun);
    }
  };

  const encode = (text) =>
    replace(encodeURIComponent(text), /%20|[!'()~]/g, (found) =>
      found === '%20' ? '+' : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
    );

  const pairsOfText = (text) => {
    const pairs = [];
    for (const part of split(text, '&')) {
      if (part === '') continue;
      const at = indexOf(part, '=');
      const nameEnd = at < 0 ? part.length : at;
      push(pairs, [decode(slice(part, 0, nameEnd)), decode(slice(part, nameEnd + 1))]);
    }
    return pairs;
  };

  const pairsOfList = (list) => {
    const pairs = [];
    for (const item of list) {
      const parts = isObject(item) && typeof item[Symbol.iterator] === 'function' ? [...item] : [];
      if (parts.length !== 2) {
        throw coded(new TypeError('Each query pair must be an iterable [name, value] tuple'), 'ERR_INVALID_TUPLE');
      }
      push(pairs, textsOf(parts, 'name', 'value'));
    }
    return pairs;
  };

  /** Makes parameters those of a query, and has `tell` called when they change. */
  let follow;
  /** A form as text; undefined for anything else. */
  let formOf;

  class URLSearchParams {
    #pairs = [];
    #tell;

    static {
      follow = (params, query, tell) => {
        params.#pairs = pairsOfText(query);
        params.#tell = tell;
      };
      formOf = (value) => (isObject(value) && #pairs in value ? `${value}` : undefined);
    }

    constructor(init = '') {
      if (!isObject(init)) {
        const text = textOf(init);
        this.#pairs = pairsOfText(text[0] === '?' ? slice(text, 1) : text);
      } else if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
        this.#pairs = pairsOfList(init);
      } else {
        for (const key of ownKeys(init)) {
          if (getOwnPropertyDescriptor(init, key)?.enumerable) this.#set(textOf(key), textOf(init[key]));
        }
      }
    }

    get size() {
      return this.#pairs.length;
    }

    append(...given) {
      const [name, value] = textsOf(given, 'name', 'value');
      push(this.#pairs, [name, value]);
      this.#tell?.();
    }

    delete(...given) {
      const [name, value] = textsOf(given, 'name');
      this.#drop(name, value);
      this.#tell?.();
    }

    get(...given) {
      const [name] = textsOf(given, 'name');
      return this.#pairs[this.#find(name)]?.[1] ?? null;
    }

    getAll(...given) {
      const [name] = textsOf(given, 'name');
      const values = [];
      for (const pair of this.#pairs) if (pair[0] === name) push(values, pair[1]);
      return values;
    }

    has(...given) {
      const [name, value] = textsOf(given, 'name');
      return this.#find(name, value) >= 0;
    }

    set(...given) {
      const [name, value] = textsOf(given, 'name', 'value');
      this.#set(name, value);
      this.#tell?.();
    }

    sort() {
      sort(this.#pairs, ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#tell?.();
    }

    *entries() {
      for (let i = 0; i < this.#pairs.length; i++) yield [this.#pairs[i][0], this.#pairs[i][1]];
    }

    forEach(callback, self) {
      if (typeof callback !== 'function') {
        throw coded(new TypeError(refuse('callback', callback, 'a function')), 'ERR_INVALID_ARG_TYPE');
      }
      for (let i = 0; i < this.#pairs.length; i++) callback.call(self, this.#pairs[i][1], this.#pairs[i][0], this);
    }

    *keys() {
      for (let i = 0; i < this.#pairs.length; i++) yield this.#pairs[i][0];
    }

    *values() {
      for (let i = 0; i < this.#pairs.length; i++) yield this.#pairs[i][1];
    }

    toString() {
      const parts = [];
      for (const [name, value] of this.#pairs) push(parts, `${encode(name)}=${encode(value)}`);
      return join(parts, '&');
    }

    /** As a Map that may have a name several times. */
    [CUSTOM]() {
      const parts = [];
      for (const pair of this.#pairs) push(parts, show(new Map([pair])).slice('Map(1) { '.length, -' }'.length));
      return `URLSearchParams {${parts.length === 0 ? '' : ` ${join(parts, ', ')} `}}`;
    }

    #find(name, value) {
      for (let i = 0; i < this.#pairs.length; i++) {
        const pair = this.#pairs[i];
        if (pair[0] === name && (value === undefined || pair[1] === value)) return i;
      }
      return -1;
    }

    #set(name, value) {
      const at = this.#find(name);
      if (at < 0) {
        push(this.#pairs, [name, value]);
        return;
      }
      this.#pairs[at][1] = value;
      this.#drop(name, undefined, at + 1);
    }

    #drop(name, value, from = 0) {
      let kept = from;
      for (let i = from; i < this.#pairs.length; i++) {
        const pair = this.#pairs[i];
        if (pair[0] !== name || (value !== undefined && pair[1] !== value)) this.#pairs[kept++] = pair;
      }
      this.#pairs.length = kept;
    }
  }

  define(URLSearchParams.prototype, Symbol.iterator, URLSearchParams.prototype.entries);
  publish(URLSearchParams);

  return { URLSearchParams, follow, formOf };
};
