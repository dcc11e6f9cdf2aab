/** ctx.fetch as a task sees it, Headers and Response. Who may be asked what is decided elsewhere. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FetchDenied, type FetchRequest, type FetchResponse } from '../../../src/outbound.ts';
import type { Bench } from './bench.ts';
import { sameAsNode, telling } from './same-as-node.ts';

const TEXT = ['content-type', 'text/plain;charset=UTF-8'];
const FORM = ['content-type', 'application/x-www-form-urlencoded;charset=UTF-8'];

const answer = (body: Uint8Array | string = '', rest: Partial<FetchResponse> = {}): FetchResponse => ({
  url: 'http://x/y',
  redirected: false,
  status: 200,
  statusText: 'OK',
  headers: [],
  body: Buffer.from(body),
  ...rest,
});

export function responseTests(bench: Bench): void {
  const same = sameAsNode(bench);

  /** What a task that fetches comes to, and the request that arrived. */
  const fetched = async (call: string, response: FetchResponse = answer()) => {
    const requests: FetchRequest[] = [];
    const fetch = async (request: FetchRequest) => {
      requests.push(request);
      return response;
    };
    const outcome = await bench.outcome(`export default async (ctx) => ${call}`, { fetch });
    return { ...outcome, request: requests[0], count: requests.length };
  };

  describe('a request is what the task asks for:', () => {
    const plain = { url: 'http://x/', method: 'GET', headers: [], redirect: 'follow' };

    test.each<[string, string, object]>([
      ['a text', '"http://x/"', plain],
      ['a URL', 'new URL("/y", "http://x")', { ...plain, url: 'http://x/y' }],
      ['something with a URL', '{ url: "http://x/", method: "HEAD" }', { ...plain, method: 'HEAD' }],
      ['a method in small letters', '"http://x/", { method: "delete" }', { ...plain, method: 'DELETE' }],
      ['a method of its own', '"http://x/", { method: "patch" }', { ...plain, method: 'patch' }],
      ['headers of an object', '"http://x/", { headers: { "X-A": 1 } }', { ...plain, headers: [['x-a', '1']] }],
      [
        'headers of a list',
        '"http://x/", { headers: [["b", "1"], ["A", " 2 "]] }',
        {
          ...plain,
          headers: [
            ['a', '2'],
            ['b', '1'],
          ],
        },
      ],
      ['Headers', '"http://x/", { headers: new Headers({ a: "1" }) }', { ...plain, headers: [['a', '1']] }],
      ['a way with redirects', '"http://x/", { redirect: "error" }', { ...plain, redirect: 'error' }],
      ['nothing to send', '"http://x/", { method: "POST", body: null }', { ...plain, method: 'POST' }],
    ])('%s', async (_what, args, request) => {
      expect((await fetched(`(await ctx.fetch(${args})).status`)).request).toEqual(request);
    });

    test.each([
      ['a text', '"ü\\ud800"', 'ü\ufffd', [TEXT]],
      ['a form', 'new URLSearchParams({ a: "1 2" })', 'a=1+2', [FORM]],
      ['bytes', 'new Uint8Array([0, 255, 97]).subarray(1)', Buffer.from([255, 97]), []],
      ['a buffer', 'new Uint8Array([97]).buffer', 'a', []],
      ['no bytes', 'new Uint8Array(0)', '', []],
      ['a view', 'new DataView(new ArrayBuffer(3), 1)', '\0\0', []],
    ])('with a body of %s', async (_what, body, bytes, headers) => {
      const { request } = await fetched(`(await ctx.fetch("http://x/", { method: "POST", body: ${body} })).status`);
      expect(Buffer.from(request?.body ?? 'none').equals(Buffer.from(bytes))).toBe(true);
      expect(request?.headers).toEqual(headers);
    });

    test('and its type is the one that the task says', async () => {
      const init = '{ method: "put", body: "{}", headers: { "Content-Type": "application/json" } }';
      const { request } = await fetched(`(await ctx.fetch("http://x/", ${init})).status`);
      expect(request?.headers).toEqual([['content-type', 'application/json']]);
    });
  });

  describe('is refused before anybody is asked:', () => {
    test.each([
      [
        'a body of an object',
        '{ method: "POST", body: { a: 1 } }',
        /body: received \{ a: 1 \}; allowed: a text, such as JSON/,
      ],
      ['a body of a number', '{ method: "POST", body: 5 }', /body: received 5/],
      ['a body to GET', '{ body: "x" }', /GET\/HEAD method cannot have body/],
      ['a bad name of a header', '{ headers: { "a b": 1 } }', /header name: received "a b"/],
      ['a header of two lines', '{ headers: { a: "1\\r\\nb: 2" } }', /header value: received/],
      ['a header of other characters', '{ headers: { a: "€" } }', /header value: received "€"/],
      ['headers that are none', '{ headers: "a: 1" }', /headers: received "a: 1"/],
    ])('%s', async (_what, init, message) => {
      const { error, count } = await fetched(`ctx.fetch("http://x/", ${init})`);
      expect(error).toMatchObject({ class: 'Thrown', name: 'TypeError', message: expect.stringMatching(message) });
      expect(count).toBe(0);
    });
  });

  test('a response tells everything of itself', async () => {
    const { value } = await fetched(
      `{ const r = await ctx.fetch('http://x/'); const { status, ok, statusText, url, redirected, type, bodyUsed } = r;
         return [status, ok, statusText, url, redirected, type, bodyUsed, [...r.headers], r.headers.get('A'), r.headers.has('nope')] }`,
      answer('', {
        status: 404,
        statusText: 'Not Found',
        redirected: true,
        headers: [
          ['a', '1'],
          ['b', '2'],
          ['a', '3'],
        ],
      }),
    );
    expect(value).toEqual([
      ...[404, false, 'Not Found', 'http://x/y', true, 'basic', false],
      ...[
        [
          ['a', '1, 3'],
          ['b', '2'],
        ],
        '1, 3',
        false,
      ],
    ]);
  });

  describe('a body is read as', () => {
    test.each([
      ['text', 'text()', 'Grüße 🎉', 'Grüße 🎉'],
      ['text without its mark', 'text()', '\ufeffa\ufeff', 'a\ufeff'],
      ['text with replacements', 'text()', Buffer.from([0x61, 0xff]), 'a\ufffd'],
      ['nothing', 'text()', '', ''],
      ['JSON', 'json()', '{"a":[1]}', { a: [1] }],
      ['bytes', 'bytes().then((b) => [b instanceof Uint8Array, ...b])', Buffer.from([0, 255]), [true, 0, 255]],
      ['bytes of text', 'bytes().then((b) => [...b])', 'ü', [0xc3, 0xbc]],
      ['a buffer', 'arrayBuffer().then((b) => [b instanceof ArrayBuffer, b.byteLength])', 'abc', [true, 3]],
    ])('%s', async (_what, read, body, expected) => {
      expect((await fetched(`(await ctx.fetch('http://x/')).${read}`, answer(body))).value).toEqual(expected);
    });

    test('any bytes are the same inside', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (body) => {
          const { value } = await fetched(`[...await (await ctx.fetch('http://x/')).bytes()]`, answer(body));
          expect(value).toEqual([...body]);
        }),
        { numRuns: 50 },
      );
    });

    test('what it is not: the task hears of it', async () => {
      const { error } = await fetched(`(await ctx.fetch('http://x/')).json()`, answer('<html>'));
      expect(error).toMatchObject({ class: 'Thrown', name: 'SyntaxError' });
    });

    test('one of those, once; a clone may be read, too', async () => {
      const { value } = await fetched(
        `{ const r = await ctx.fetch('http://x/'); const copy = r.clone(); const first = await r.text();
           const again = await r.text().catch((e) => [e.name, e.message]);
           const late = (() => { try { r.clone() } catch (e) { return e.name } })();
           return [first, r.bodyUsed, again, late, copy.bodyUsed, await copy.json(), copy.url] }`,
        answer('1'),
      );
      const again = ['TypeError', 'Body is unusable: Body has already been read'];
      expect(value).toEqual(['1', true, again, 'TypeError', false, 1, 'http://x/y']);
    });
  });

  test('what went wrong is a TypeError, as in Node; it says where the task has asked, and may be caught', async () => {
    const fetch = () => Promise.reject(new Error('nobody is there'));
    const source = 'export default async (ctx) => {\n await null;\n await ctx.fetch("http://x/");\n}';
    const error = await bench.error(source, { fetch });
    expect(error).toMatchObject({ class: 'Thrown', name: 'TypeError', message: 'nobody is there' });
    expect(error.stack).toMatch(/task\.js:3/);
    const caught = 'ctx.fetch("http://x/").catch((error) => [error instanceof TypeError, error.message])';
    expect(await bench.value(caught, { fetch })).toEqual([true, 'nobody is there']);
  });

  test('what is denied is called so, and so is what is too much', async () => {
    const denied = () => Promise.reject(new FetchDenied('not this one'));
    expect(await bench.error('ctx.fetch("http://x/")', { fetch: denied })).toMatchObject({
      class: 'CapabilityDenied',
      name: 'CapabilityDenied',
      message: 'not this one',
    });
    const many = `Promise.allSettled([1, 2, 3].map(() => ctx.fetch('http://x/')))
      .then((ends) => ends.map(({ status, reason }) => reason?.name ?? status))`;
    const fetch = async () => answer();
    expect(await bench.value(many, { fetch, limits: { hostCalls: 2 } })).toEqual([
      'fulfilled',
      'fulfilled',
      'HostCallLimit',
    ]);
    expect(await bench.value(many, { fetch, limits: { concurrentCalls: 1 } })).toEqual([
      ...['fulfilled', 'ConcurrencyLimit', 'ConcurrencyLimit'],
    ]);
  });

  test('a task may give up waiting', async () => {
    const fetch = () => new Promise<FetchResponse>(() => {});
    const source = (signal: string) =>
      `ctx.fetch('http://x/', { signal: ${signal} }).catch((error) => error.name ?? error)`;
    expect(await bench.value(source('AbortSignal.timeout(10)'), { fetch })).toBe('TimeoutError');
    expect(await bench.value(source('AbortSignal.abort("why")'), { fetch })).toBe('why');
  });

  describe('as in Node:', () => {
    test.each([
      '[...new Headers([["b", "1"], ["a", "2"], ["B", " 3\\t"]])]',
      '[...new Headers({ "Set-Cookie": "a=1", x: "y" }).entries()]',
      '(() => { const h = new Headers(); h.append("Set-Cookie", "a"); h.append("set-cookie", "b"); return [[...h], h.get("set-cookie"), h.getSetCookie()] })()',
      '(() => { const h = new Headers({ a: 1 }); h.set("A", 2); h.append("a", 3); h.delete("B"); return [...h.keys(), ...h.values(), h.has("A")] })()',
      '(() => { const h = new Headers({ b: 1, a: 2 }); const seen = []; h.forEach((value, name, all) => seen.push(name, value, all === h)); return seen })()',
      'new Headers().get("a")',
      'new Headers(undefined).has("a")',
      'Object.prototype.toString.call(new Headers())',
      'new Response().status',
      'new Response("a", { status: 201, statusText: "Made" }).statusText',
      '[...new Response("a").headers, new Response("a").ok, new Response("a").type, new Response("a").url]',
      '[...new Response(new URLSearchParams("a=1")).headers]',
      '[...Response.json({ a: 1 }, { status: 202 }).headers]',
      'Response.json([1], { headers: { "content-type": "x/y" } }).headers.get("Content-Type")',
      'new Response().bodyUsed',
    ])('%s', (expression) => same(telling(expression)));

    test.each([
      'async () => [await new Response("ü").text(), await new Response().text(), await Response.json({ a: 1 }).json()]',
      'async () => { const r = new Response(); await r.text(); return [r.bodyUsed, await r.text()] }',
      'async () => { const r = new Response(""); await r.text(); return [r.bodyUsed, await r.text().catch((e) => e.name)] }',
      'async () => [...await new Response(new Uint8Array([1, 2])).bytes()]',
      'async () => { try { new Response("", { status: 99 }) } catch (error) { return error.name } }',
      'async () => { try { new Headers([["a"]]) } catch (error) { return error.name } }',
    ])('%s', (code) => same(code));
  });
}
