// `ctx.fetch` and its responses. The host makes the request, if it is allowed. Bodies are whole; there are no streams.
({
  use,
  NativePromise,
  andThen,
  parse,
  stringify,
  toWellFormed,
  charCodeAt,
  slice,
  test,
  CUSTOM,
  publish,
  request,
  show,
  refuse,
}) => {
  const BOM = 0xfeff;
  /** Methods that may be written in any case. */
  const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
  const { Headers } = use('headers');

  /** A body as it travels, and its type; undefined for none. */
  const bodyOf = (body) => {
    if (body === undefined || body === null) return undefined;
    if (typeof body === 'string') return { text: toWellFormed(body), type: 'text/plain;charset=UTF-8' };
    const bytes = use('text').bytesOf(body);
    if (bytes !== undefined) return { base64: bytes.toBase64() };
    const form = use('search-params').formOf(body);
    if (form !== undefined) return { text: form, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    throw new TypeError(refuse('body', body, 'a text, such as JSON.stringify gives; URLSearchParams; bytes'));
  };

  const headersFor = (init, body) => {
    const headers = new Headers(init);
    if (body?.type !== undefined && !headers.has('content-type')) headers.set('content-type', body.type);
    return headers;
  };

  /** A response from what the host answers. */
  let respond;

  class Response {
    #head;
    #body;
    #isUsed = false;

    static {
      respond = ({ headers, text, base64, ...head }) => {
        const response = new Response();
        response.#head = { ...head, headers: new Headers(headers) };
        response.#body = { text, base64 };
        return response;
      };
    }

    static json(value, init) {
      const headers = new Headers(init?.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(stringify(value), { ...init, headers });
    }

    constructor(body, { status = 200, statusText = '', headers } = {}) {
      if (!(status >= 200 && status <= 599)) throw new RangeError(refuse('status', status, '200 to 599'));
      this.#body = bodyOf(body);
      this.#head = {
        url: '',
        redirected: false,
        status: Number(status),
        statusText: `${statusText}`,
        headers: headersFor(headers, this.#body),
      };
    }

    get type() {
      return this.#head.url === '' ? 'default' : 'basic';
    }

    get url() {
      return this.#head.url;
    }

    get redirected() {
      return this.#head.redirected;
    }

    get status() {
      return this.#head.status;
    }

    get ok() {
      return this.status >= 200 && this.status <= 299;
    }

    get statusText() {
      return this.#head.statusText;
    }

    get headers() {
      return this.#head.headers;
    }

    get bodyUsed() {
      return this.#isUsed;
    }

    clone() {
      if (this.#isUsed) throw new TypeError('Response.clone: Body has already been consumed.');
      const copy = new Response();
      copy.#head = { ...this.#head, headers: new Headers(this.headers) };
      copy.#body = this.#body;
      return copy;
    }

    async arrayBuffer() {
      return this.#bytes().buffer;
    }

    async bytes() {
      return this.#bytes();
    }

    async json() {
      return parse(this.#text());
    }

    async text() {
      return this.#text();
    }

    [CUSTOM]() {
      const { status, statusText, headers, bodyUsed, ok, redirected, type, url } = this;
      return `Response ${show({ status, statusText, headers, bodyUsed, ok, redirected, type, url })}`;
    }

    #bytes() {
      const { text = '', base64 } = this.#consume();
      return base64 === undefined ? use('text').encode(text) : Uint8Array.fromBase64(base64);
    }

    #text() {
      const { text = '', base64 } = this.#consume();
      if (base64 !== undefined) return use('text').decodeUtf8(Uint8Array.fromBase64(base64));
      return charCodeAt(text, 0) === BOM ? slice(text, 1) : text;
    }

    #consume() {
      if (this.#isUsed) throw new TypeError('Body is unusable: Body has already been read');
      this.#isUsed = this.#body !== undefined;
      return this.#body ?? {};
    }
  }

  publish(Response);

  /** The answer, unless the task gives up before. The host does not hear of that: the request goes on. */
  const unlessAborted = (answer, signal) =>
    new NativePromise((fulfil, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      andThen(answer, fulfil, reject);
    });

  /** `resource`: a text, a URL, or an object that has one and what else `init` may have. */
  const fetch = async (resource, init) => {
    const isRequest = typeof resource?.url === 'string';
    const { method = 'GET', headers, body, redirect, signal } = { ...(isRequest && resource), ...init };
    const verb = test(NORMALIZED, method) ? method.toUpperCase() : `${method}`;
    const sent = bodyOf(body);
    if (sent !== undefined && (verb === 'GET' || verb === 'HEAD')) {
      throw new TypeError('Request with GET/HEAD method cannot have body.');
    }
    signal?.throwIfAborted();
    const message = {
      url: `${isRequest ? resource.url : resource}`,
      method: verb,
      headers: [...headersFor(headers, sent)],
      text: sent?.text,
      base64: sent?.base64,
      redirect,
    };
    const answer = request('F', stringify(message), new TypeError());
    return respond(await (signal ? unlessAborted(answer, signal) : answer));
  };

  return { Response, fetch };
};
