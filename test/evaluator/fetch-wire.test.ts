/** What a guest writes is taken for a request, or what comes back is not what came. */
import { describe, expect, test } from '@jest/globals';
import { answerFetch } from '../../src/evaluator/capability.ts';
import { requestOf, responseJson } from '../../src/evaluator/fetch-wire.ts';
import { type Fetch, FetchDenied, type FetchResponse } from '../../src/outbound.ts';

const over = new AbortController().signal;
const RESPONSE = { url: 'http://a.b/', redirected: false, status: 200, statusText: 'OK', headers: [] };
const respond = (body: Uint8Array): FetchResponse => ({ ...RESPONSE, body });

describe('a request', () => {
  test('needs a URL, and nothing else', () => {
    expect(requestOf('{"url":"http://a.b"}')).toEqual({
      url: 'http://a.b',
      method: 'GET',
      headers: [],
      redirect: 'follow',
    });
  });

  test('with text is UTF-8 and says so, unless it says something else', () => {
    const { headers, body } = requestOf('{"url":"u","method":"POST","text":"grüße"}');
    expect(Buffer.from(body!).toString()).toBe('grüße');
    expect(headers).toEqual([['content-type', 'text/plain;charset=UTF-8']]);
    const typed = { url: 'u', method: 'POST', text: '{}', headers: [['Content-Type', 'application/json']] };
    expect(requestOf(JSON.stringify(typed)).headers).toEqual(typed.headers);
  });

  test('with base64 is bytes', () => {
    const { headers, body } = requestOf('{"url":"u","base64":"AP8=","redirect":"manual"}');
    expect([...body!]).toEqual([0, 255]);
    expect(headers).toEqual([]);
    expect(requestOf('{"url":"u","base64":""}').body).toHaveLength(0);
  });

  test.each([
    ['', /JSON/],
    ['{', /JSON/],
    ['null', /^request: received null/],
    ['[]', /^request: received \[\]/],
    ['"u"', /^request: received "u"/],
    ['{}', /^url: received nothing/],
    ['{"url":1}', /^url: received 1/],
    ['{"url":["http://a.b"]}', /^url: received \[/],
    ['{"url":"u","method":null}', /^method: received null/],
    ['{"url":"u","headers":{"a":"b"}}', /^headers: received/],
    ['{"url":"u","headers":["ab"]}', /^headers: received/],
    ['{"url":"u","headers":[["a"]]}', /^headers: received/],
    ['{"url":"u","headers":[["a","b","c"]]}', /^headers: received/],
    ['{"url":"u","headers":[["a",1]]}', /^headers: received/],
    ['{"url":"u","text":1}', /^text: received 1/],
    ['{"url":"u","text":"a","base64":"YQ=="}', /^base64: received "YQ=="; allowed: one of/],
    ['{"url":"u","base64":"a"}', /^base64: received "a"/],
    ['{"url":"u","base64":"-_=="}', /^base64: received/],
    ['{"url":"u","base64":"YQ==YQ=="}', /^base64: received/],
    ['{"url":"u","redirect":"maybe"}', /^redirect: received "maybe"; allowed: follow, manual or error/],
    ['{"url":"u","signal":{}}', /^signal: received/],
    ['{"url":"u","__proto__":{"method":"PUT"}}', /^__proto__: received/],
  ])('%s is refused', (json, message) => expect(() => requestOf(json)).toThrow(message));
});

describe('a response', () => {
  test.each(['', 'hello', '{"a":"grüße \u2028 😀"}', '\ufeffwith a mark', 'tab\tline\n'])('of %j is text', (text) => {
    expect(JSON.parse(responseJson(respond(Buffer.from(text))))).toEqual({ ...RESPONSE, text });
  });

  test.each([[[0xff]], [[0xc3, 0x28]], [[0xed, 0xa0, 0x80]], [[0, 0, 0, 0]]])('of %j is base64', (bytes) => {
    const body = Uint8Array.from(bytes);
    const wire = JSON.parse(responseJson(respond(body))) as { base64: string };
    expect(wire).toEqual({ ...RESPONSE, base64: expect.any(String) });
    expect([...Buffer.from(wire.base64, 'base64')]).toEqual(bytes);
  });

  test('never takes much more room than base64 does', () => {
    const bytes = 1024 * 1024;
    for (const fill of ['\0', '"', 'x', 'ü'.charCodeAt(0)]) {
      expect(responseJson(respond(Buffer.alloc(bytes, fill))).length).toBeLessThan(bytes * 1.4);
    }
  });

  test('is of the part of the memory that is its own', () => {
    const body = new Uint8Array(Buffer.from('xxhelloxx')).subarray(2, 7);
    expect(JSON.parse(responseJson(respond(body)))).toMatchObject({ text: 'hello' });
  });
});

describe('an answer', () => {
  const answer = (fetch: Fetch | undefined, json = '{"url":"http://a.b/"}') => answerFetch(fetch, json, over);

  test('is the response', async () => {
    const seen: unknown[] = [];
    const fetch: Fetch = async (...asked) => {
      seen.push(asked);
      return respond(Buffer.from('ok'));
    };
    expect(await answer(fetch)).toBe(`V${JSON.stringify({ ...RESPONSE, text: 'ok' })}`);
    expect(seen).toEqual([[expect.objectContaining({ url: 'http://a.b/' }), over]]);
  });

  test('is D when it is denied, E when it failed, and only the message of an error', async () => {
    expect(await answer(() => Promise.reject(new FetchDenied('not there')))).toBe('Dnot there');
    expect(await answer(() => Promise.reject(new Error('broken')))).toBe('Ebroken');
    expect(await answer(() => Promise.reject(new Error('x'.repeat(10_000))))).toHaveLength(2049);
    expect(
      await answer(() => {
        throw 'thrown';
      }),
    ).toBe('Ethrown');
  });

  test('is D without a grant, whatever is asked', async () => {
    expect(await answer(undefined)).toBe('Dthis task has no capabilities.fetch, so it may not fetch "http://a.b/"');
    for (const json of ['', '{', '{}', 'null', '"x'.repeat(100_000)]) {
      const text = await answer(undefined, json);
      expect(text).toMatch(/^D/);
      expect(text.length).toBeLessThan(200);
    }
  });

  test('is E for what is no request', async () => {
    expect(await answer(async () => respond(Buffer.alloc(0)), '{"url":7}')).toBe('Eurl: received 7; allowed: a text');
  });
});
