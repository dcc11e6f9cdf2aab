// URL. The host has the parser: a URL here is what the host makes of a text, and of each change to it.
({
  use,
  ask,
  defineProperty,
  getOwnPropertyDescriptor,
  parse,
  stringify,
  slice,
  textOf,
  textsOf,
  CUSTOM,
  publish,
  coded,
  show,
}) => {
  const PARTS = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

  /** The parts of a URL by name; undefined when it is none. */
  const partsOf = (question) => {
    const answer = ask(question);
    return answer === '' ? undefined : parse(answer);
  };
  const read = (input, base) => partsOf(`U[${stringify(input)}${base === undefined ? '' : `,${stringify(base)}`}]`);
  const change = (href, part, value) => partsOf(`P["${part}",${stringify(href)},${stringify(textOf(value))}]`);

  const invalid = (input, base) =>
    coded(new TypeError('Invalid URL'), 'ERR_INVALID_URL', { input, ...(base !== undefined && { base }) });

  class URL {
    #parts;
    #params;

    static canParse(...given) {
      return read(...textsOf(given, 'url')) !== undefined;
    }

    static parse(...given) {
      const texts = textsOf(given, 'url');
      return read(...texts) === undefined ? null : new URL(...texts);
    }

    constructor(...given) {
      const [input, base] = textsOf(given, 'url');
      this.#parts = read(input, base);
      if (this.#parts === undefined) throw invalid(input, base);
    }

    toString() {
      return this.#parts.href;
    }

    get href() {
      return this.#parts.href;
    }

    set href(value) {
      this.#change('href', value);
    }

    get origin() {
      return this.#parts.origin;
    }

    static {
      for (const part of PARTS) {
        const accessor = {
          get [part]() {
            return this.#parts[part];
          },
          set [part](value) {
            this.#change(part, value);
          },
        };
        defineProperty(URL.prototype, part, getOwnPropertyDescriptor(accessor, part));
      }
    }

    get searchParams() {
      if (this.#params === undefined) {
        const { URLSearchParams } = use('search-params');
        this.#params = new URLSearchParams();
        this.#follow();
      }
      return this.#params;
    }

    toJSON() {
      return this.#parts.href;
    }

    [CUSTOM]() {
      const { hash, ...parts } = this.#parts;
      return `URL ${show({ ...parts, searchParams: this.searchParams, hash })}`;
    }

    #change(part, value) {
      const parts = change(this.#parts.href, part, value);
      if (parts === undefined) throw invalid(textOf(value));
      this.#parts = parts;
      if (this.#params !== undefined) this.#follow();
    }

    /** Makes the parameters those of the query; what is done to them is then done to the query. */
    #follow() {
      const params = this.#params;
      use('search-params').follow(params, slice(this.#parts.search, 1), () => {
        this.#parts = change(this.#parts.href, 'search', params);
      });
    }
  }

  publish(URL);

  return { URL };
};
