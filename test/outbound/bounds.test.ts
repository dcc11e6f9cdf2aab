/** A server that wants to hurt: it answers slowly, endlessly, hugely, or not at all. */

import type { RequestListener } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { FETCH_LIMITS } from '../../src/outbound/limits.ts';
import type { FetchResponse } from '../../src/outbound.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { granted, never, openTestOutbound, serve, serveTcp, textOf, type Web } from '../support/web.ts';

const MIB = 1024 * 1024;
const PERMITTED = { allowAddresses: ['127.0.0.1/32'] };

let web: Web | undefined;

afterEach(async () => {
  await web?.[Symbol.asyncDispose]();
  web = undefined;
});

/** What a task gets from a server like this; afterwards, no connection may be left. */
async function from(listener: RequestListener): Promise<FetchResponse> {
  await using server = await serve(listener);
  await using outbound = openTestOutbound(PERMITTED);
  try {
    return await outbound.fetch(`${server.origin}/`, [server.origin]);
  } finally {
    await server.idle();
  }
}

describe('the body', () => {
  test('may have 1 MiB, and not a byte more', async () => {
    const body = Buffer.alloc(MIB, 'x');
    expect((await from((_request, response) => response.end(body))).body).toHaveLength(MIB);
    await expect(from((_request, response) => response.end(Buffer.alloc(MIB + 1)))).rejects.toThrow(
      /^127\.0\.0\.1:\d+: a response of more than 1048576 bytes/,
    );
  });

  test('that never ends is cut', async () => {
    const endless: RequestListener = (_request, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(64 * 1024))) if (response.destroyed) return;
      };
      response.on('drain', more);
      more();
    };
    await expect(from(endless)).rejects.toThrow('more than 1048576 bytes');
  });

  const CODINGS: readonly (readonly [string, (body: Buffer) => Buffer])[] = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity', (body) => body],
  ];

  test.each(CODINGS)('that comes in %s is decompressed', async (coding, pack) => {
    const body = pack(Buffer.from('Grüße'.repeat(1000)));
    const response = await from((_request, reply) => reply.setHeader('content-encoding', coding).end(body));
    expect(textOf(response)).toBe('Grüße'.repeat(1000));
  });

  test.each(CODINGS.slice(0, -1))('that is a bomb in %s is not unpacked', async (coding, pack) => {
    const body = pack(Buffer.alloc(16 * MIB));
    expect(body.byteLength).toBeLessThan(MIB);
    await expect(from((_request, reply) => reply.setHeader('content-encoding', coding).end(body))).rejects.toThrow(
      'more than 1048576 bytes, decompressed',
    );
  });

  test('that is cut off, or not what it says, is an error and not half a body', async () => {
    const whole = gzipSync('hello'.repeat(100));
    for (const body of [whole.subarray(0, -9), Buffer.from('hello')]) {
      await expect(from((_request, reply) => reply.setHeader('content-encoding', 'gzip').end(body))).rejects.toThrow(
        'cannot be decompressed',
      );
    }
    await expect(
      from((_request, reply) => {
        reply.writeHead(200, { 'content-length': 100 });
        reply.write('half');
        setImmediate(() => reply.destroy());
      }),
    ).rejects.toThrow(/^127\.0\.0\.1:\d+: /);
  });

  test.each(['zstd', 'compress', 'gzip, gzip', 'x'])(
    'in a coding that nobody asked for is an error: %s',
    async (coding) => {
      await expect(from((_request, reply) => reply.setHeader('content-encoding', coding).end('x'))).rejects.toThrow(
        /content-encoding ".*" is none of gzip, deflate, br/,
      );
    },
  );

  test('is empty where there is none, whatever the coding', async () => {
    const response = await from((_request, reply) => reply.writeHead(204, { 'content-encoding': 'gzip' }).end());
    expect(response).toMatchObject({ status: 204, body: new Uint8Array() });
  });
});

describe('the headers', () => {
  test('may have 16 KiB, and not much more', async () => {
    const response = await from((_request, reply) => reply.setHeader('x', 'y'.repeat(15_000)).end());
    expect(response.headers).toContainEqual(['x', 'y'.repeat(15_000)]);
    await expect(from((_request, reply) => reply.setHeader('x', 'y'.repeat(17_000)).end())).rejects.toThrow(
      'more than 16384 bytes of response headers',
    );
  });

  test('that never end are cut', async () => {
    web = await serveTcp((socket) => {
      socket.resume().write('HTTP/1.1 200 OK\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write('x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'));
      };
      socket.on('drain', more);
      more();
    });
    await using outbound = openTestOutbound(PERMITTED);
    await expect(outbound.fetch(web.origin, [web.origin])).rejects.toThrow('bytes of response headers');
    await web.idle();
  });

  test('do not bring cookies, and keep what comes twice', async () => {
    const { headers } = await from((_request, reply) => {
      reply.setHeader('Set-Cookie', ['a=1', 'b=2']).setHeader('X-Two', ['1', '2']).setHeader('__proto__', 'x').end();
    });
    expect(headers.filter(([name]) => name === 'set-cookie')).toEqual([]);
    expect(headers.filter(([name]) => name === 'x-two')).toEqual([
      ['x-two', '1'],
      ['x-two', '2'],
    ]);
    expect(headers).toContainEqual(['__proto__', 'x']);
  });

  test.each([
    'SSH-2.0-OpenSSH_9.6\r\n',
    '220 mail ESMTP\r\n',
    '\0\0\0\0',
    'HTTP/1.1 abc\r\n\r\n',
    'HTTP/1.1 101 Up\r\n\r\n',
  ])('that are not HTTP are an error that names the host: %j', async (greeting) => {
    web = await serveTcp((socket) => socket.resume().end(greeting));
    await using outbound = openTestOutbound(PERMITTED);
    await expect(outbound.fetch(web.origin, [web.origin])).rejects.toThrow(/^127\.0\.0\.1:\d+: /);
    await web.idle();
  });
});

describe('time', () => {
  const SILENT: readonly (readonly [string, (write: (text: string) => void) => void])[] = [
    ['says nothing', () => undefined],
    ['sends half of its headers', (write) => write('HTTP/1.1 200 OK\r\nx: ')],
    ['sends half of its body', (write) => write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf')],
  ];

  test.each(SILENT)('is up after 10 s with a server that %s', async (_, greet) => {
    const clock = new VirtualClock();
    const connected = Promise.withResolvers<void>();
    web = await serveTcp((socket) => {
      socket.once('data', () => {
        greet((text) => socket.write(text));
        connected.resolve();
      });
    });
    await using outbound = openTestOutbound({ ...PERMITTED, clock });
    const response = outbound.fetch(web.origin, [web.origin]);
    const refused = expect(response).rejects.toThrow('no complete response within 10 s');
    await connected.promise;
    await clock.advance(FETCH_LIMITS.totalMs - 1);
    expect(web.open).toBe(1);
    await clock.advance(1);
    await refused;
    await web.idle();
    expect(clock.waiting).toBe(0);
  });

  test('is up for a whole chain of redirects, and for a name that is not found out', async () => {
    const clock = new VirtualClock();
    await using outbound = openTestOutbound({ clock, resolve: () => new Promise(() => undefined) });
    const response = outbound.fetch('http://slow.example/', ['http://slow.example']);
    const refused = expect(response).rejects.toThrow('no complete response within 10 s');
    await clock.advance(FETCH_LIMITS.totalMs);
    await refused;
  });

  test('that was not needed is not waited for', async () => {
    const clock = new VirtualClock();
    web = await serve((_request, response) => response.writeEarlyHints({ link: '</a>' }, () => response.end('ok')));
    await using outbound = openTestOutbound({ ...PERMITTED, clock });
    expect(await outbound.fetch(web.origin, [web.origin])).toMatchObject({ status: 200, body: Buffer.from('ok') });
    expect(clock.waiting).toBe(0);
  });

  test.each(['http', 'https'])('of the run is up: the connection over %s is closed at once', async (scheme) => {
    const connected = Promise.withResolvers<void>();
    web = await serveTcp((socket) => socket.once('data', () => connected.resolve()));
    await using outbound = openTestOutbound(PERMITTED);
    const origin = `${scheme}://127.0.0.1:${web.port}`;
    const over = new AbortController();
    const response = granted(outbound, [origin])({ url: origin, method: 'GET', headers: [] }, over.signal);
    await connected.promise;
    over.abort();
    await expect(response).rejects.toThrow('the run is over');
    await web.idle();
  });

  test('of the run was up before: nothing is sent', async () => {
    web = await serve((_request, response) => response.end());
    await using outbound = openTestOutbound(PERMITTED);
    const response = granted(outbound, [web.origin])(
      { url: web.origin, method: 'GET', headers: [] },
      AbortSignal.abort(),
    );
    await expect(response).rejects.toThrow('the run is over');
    expect(web.hits).toBe(0);
  });

  test('of the program is up: closing ends what is under way, and refuses what comes', async () => {
    const connected = Promise.withResolvers<void>();
    web = await serveTcp((socket) => socket.once('data', () => connected.resolve()));
    const outbound = openTestOutbound(PERMITTED);
    const response = outbound.fetch(web.origin, [web.origin]);
    const refused = expect(response).rejects.toThrow('closing');
    await connected.promise;
    await outbound.close();
    await refused;
    await web.idle();
    await expect(outbound.fetch(web.origin, [web.origin])).rejects.toThrow('closing');
    expect(web.hits).toBe(1);
  });
});

describe('places', () => {
  /** A server that answers when it is told to. */
  async function patient() {
    const waiting: (() => void)[] = [];
    web = await serve((_request, response) => waiting.push(() => response.end('ok')));
    return {
      origin: web.origin,
      waiting,
      until: async (count: number) => {
        while (waiting.length < count) await new Promise(setImmediate);
        await new Promise((resolve) => setTimeout(resolve, 20));
      },
    };
  }

  test('a run has six at a time; its others wait', async () => {
    const { origin, waiting, until } = await patient();
    await using outbound = openTestOutbound(PERMITTED);
    const fetch = granted(outbound, [origin]);
    const all = Array.from({ length: 8 }, () => fetch({ url: origin, method: 'GET', headers: [] }, never));
    await until(FETCH_LIMITS.perRun);
    expect(waiting).toHaveLength(6);
    for (const answer of waiting.splice(0)) answer();
    await until(2);
    for (const answer of waiting.splice(0)) answer();
    expect(await Promise.all(all)).toHaveLength(8);
  });

  test('all runs together have 32; who waits and is over leaves the line', async () => {
    const { origin, waiting, until } = await patient();
    await using outbound = openTestOutbound(PERMITTED);
    const over = new AbortController();
    const one = (signal = never) => granted(outbound, [origin])({ url: origin, method: 'GET', headers: [] }, signal);
    const first = Array.from({ length: FETCH_LIMITS.perProcess }, () => one());
    await until(FETCH_LIMITS.perProcess);
    const gone = one(over.signal);
    const next = one();
    await new Promise(setImmediate);
    over.abort();
    await expect(gone).rejects.toThrow('the run is over');
    expect(waiting).toHaveLength(32);
    for (const answer of waiting.splice(0)) answer();
    await Promise.all(first);
    await until(1);
    expect(waiting).toHaveLength(1);
    waiting[0]?.();
    expect(await next).toMatchObject({ status: 200 });
  });

  test('a line that is too long is refused, with a reason', async () => {
    const { origin, waiting, until } = await patient();
    await using outbound = openTestOutbound(PERMITTED);
    const one = () => granted(outbound, [origin])({ url: origin, method: 'GET', headers: [] }, never);
    const all = Array.from({ length: FETCH_LIMITS.perProcess + FETCH_LIMITS.waiting }, one);
    const settled = Promise.allSettled(all);
    await until(FETCH_LIMITS.perProcess);
    await expect(one()).rejects.toThrow('too many requests are waiting');
    await outbound.close();
    await settled;
    expect(waiting).toHaveLength(FETCH_LIMITS.perProcess);
  });
});
