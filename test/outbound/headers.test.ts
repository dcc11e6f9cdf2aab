/** A task writes headers that are not its own to write, or another request between the lines. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { HeaderList } from '../../src/outbound.ts';
import { granted, never, openTestOutbound, serve, type TestOutbound, type Web } from '../support/web.ts';

let web: Web;
let outbound: TestOutbound;
let arrived: { readonly line: string; readonly raw: readonly string[]; readonly body: string }[] = [];

beforeAll(async () => {
  web = await serve(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const line = `${request.method} ${request.url}`;
    arrived.push({ line, raw: request.rawHeaders, body: Buffer.concat(body).toString() });
    response.end();
  });
  outbound = openTestOutbound({ allowAddresses: ['127.0.0.1/32'] });
});

afterAll(async () => {
  await outbound.close();
  await web[Symbol.asyncDispose]();
});

beforeEach(() => {
  arrived = [];
});

const send = (headers: HeaderList, method = 'GET', body?: string) =>
  outbound.fetch(`${web.origin}/`, [web.origin], {
    method,
    headers,
    ...(body !== undefined && { body: Buffer.from(body) }),
  });

/** By name, in lower case; what came twice is a list. */
const headersOf = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] as string]] : []));

describe('what is sent', () => {
  test('without a word of the task: who asks, for what launch, with what fence, and no more', async () => {
    await send([]);
    expect(headersOf(arrived[0]!.raw)).toEqual([
      ['host', `127.0.0.1:${web.port}`],
      ['connection', 'close'],
      ['accept', '*/*'],
      ['accept-encoding', 'gzip, deflate, br'],
      ['user-agent', 'cronkeeper/test'],
      ['idempotency-key', 'task@1'],
      ['cronkeeper-fence', '7'],
    ]);
  });

  test('is what the task says, where it may: its own key goes before the launch’s', async () => {
    await send([
      ['Idempotency-Key', 'mine'],
      ['USER-AGENT', 'task/1'],
      ['Authorization', 'Bearer x'],
      ['X-Two', '1'],
      ['X-Two', '2'],
      ['X-Space', '\t a b \n'],
      ['X-Latin', 'ü'],
      ['X-Empty', ''],
    ]);
    const headers = headersOf(arrived[0]!.raw);
    expect(headers.filter(([name]) => name === 'idempotency-key')).toEqual([['idempotency-key', 'mine']]);
    expect(headers.filter(([name]) => name === 'user-agent')).toEqual([['user-agent', 'task/1']]);
    for (const header of [
      ['authorization', 'Bearer x'],
      ['x-two', '1'],
      ['x-two', '2'],
      ['x-space', 'a b'],
      ['x-latin', 'ü'],
      ['x-empty', ''],
    ]) {
      expect(headers).toContainEqual(header);
    }
  });

  test('is a body of the length that it has', async () => {
    await send([['content-type', 'text/plain']], 'POST', 'grüße');
    expect(arrived[0]).toMatchObject({ line: 'POST /', body: 'grüße' });
    expect(headersOf(arrived[0]!.raw)).toContainEqual(['content-length', '7']);
  });

  test('is one request, though the key of the run is somebody else’s text', async () => {
    const fetch = granted(outbound, [web.origin], { idempotencyKey: 'a b\r\nX: y\u00e9\ud800@1' });
    await fetch({ url: web.origin, method: 'GET', headers: [] }, never);
    expect(arrived).toHaveLength(1);
    expect(headersOf(arrived[0]!.raw)).toContainEqual(['idempotency-key', 'a%20b%0D%0AX:%20y%C3%A9%EF%BF%BD@1']);
  });
});

describe('what is refused', () => {
  test.each([
    ...[
      'Host',
      'Connection',
      'Content-Length',
      'Transfer-Encoding',
      'Upgrade',
      'TE',
      'Trailer',
      'Expect',
      'Keep-Alive',
    ],
    ...['Proxy-Authorization', 'Proxy-Connection', 'proxy-anything', 'Cookie', 'cookie2', 'HTTP2-Settings'],
    ...['Cronkeeper-Fence', 'cronkeeper-anything'],
  ])('%s is not the task’s to set', async (name) => {
    await expect(send([[name, '1']])).rejects.toThrow(`the header ${name.toLowerCase()} is not the task's to set`);
    expect(arrived).toEqual([]);
  });

  test.each([
    ...['', ' ', 'a b', 'a:', 'host ', 'ho\tst', 'x\r\ny', 'ü', 'x\0', '"', 'a,b', '(x)', 'transfer-encoding\u0130'],
  ])('%j is no name', async (name) => {
    await expect(send([[name, '1']])).rejects.toThrow('is no name of a header');
    expect(arrived).toEqual([]);
  });

  test.each(['a\r\nb: c', 'a\nb', 'a\rb', 'a\0b', 'a\u0001', 'a\u007f', 'a\u0100', '\ud83d\ude00', 'a\u560d\u560a'])(
    '%j is no value',
    async (value) => {
      await expect(send([['x', value]])).rejects.toThrow('characters that are not allowed');
      expect(arrived).toEqual([]);
    },
  );

  test.each(['CONNECT', 'TRACE', 'TRACK', 'connect', '', 'GET ', 'G\r\nET', 'PROPFIND', 'get /x HTTP/1.1\r\nx:'])(
    'the method %j',
    async (method) => {
      await expect(send([], method)).rejects.toThrow('allowed: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
      expect(arrived).toEqual([]);
    },
  );

  test.each(['GET', 'HEAD'])('a body for %s', async (method) => {
    await expect(send([], method, 'x')).rejects.toThrow(`${method} takes no body`);
  });

  test.each(['', 'x', '/path', 'http://', 'http://[::1', 'http://a b/', `http://a.b/${'x'.repeat(9000)}`])(
    'the URL %j',
    async (url) => {
      await expect(outbound.fetch(url, [web.origin])).rejects.toThrow('allowed: an absolute URL of http or https');
    },
  );

  test('too many of them, and too much', async () => {
    const many = Array.from({ length: 65 }, (_, i) => [`x-${i}`, '1'] as const);
    await expect(send(many)).rejects.toThrow('65 request headers; 64 are allowed');
    await expect(send([['x', 'y'.repeat(16 * 1024)]])).rejects.toThrow(
      '16385 bytes of request headers; 16384 are allowed',
    );
    await expect(send([], 'POST', 'x'.repeat(256 * 1024 + 1))).rejects.toThrow('262145 bytes; 262144 are allowed');
    expect(arrived).toEqual([]);
  });
});

test('a path cannot end the line that it is in', async () => {
  await outbound.fetch(`${web.origin}/a b\r\nX: y\u0000?q=\u00e9 "#part`, [web.origin]);
  expect(arrived.map(({ line }) => line)).toEqual(['GET /a%20bX:%20y%00?q=%C3%A9%20%22']);
});
