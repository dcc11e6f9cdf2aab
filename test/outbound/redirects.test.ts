/** A permitted server sends the task on to where it may not go, or sends its credentials there. */

import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FetchDenied } from '../../src/outbound.ts';
import { openTestOutbound, serve, type TestOutbound, textOf, type Web } from '../support/web.ts';

interface Arrived {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let web: Web;
let canary: Web;
let outbound: TestOutbound;
const arrived: Arrived[] = [];

/** `/<status>?<location>` redirects, `/loop` to itself; everything else is written down, and answered with its path. */
beforeAll(async () => {
  web = await serve(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const { method, url = '', headers } = request;
    arrived.push({ method, url, headers, body: Buffer.concat(body).toString() });
    const [, status, location] = url === '/loop' ? [url, '307', url] : (/^\/(\d{3})\?(.*)$/.exec(url) ?? []);
    if (status === undefined) return response.end(url);
    response.writeHead(Number(status), { location: decodeURIComponent(location ?? '') });
    return response.end('moved');
  });
  canary = await serve((_request, response) => response.end('canary'));
  outbound = openTestOutbound({ allowAddresses: ['127.0.0.1/32'], resolve: async (host) => NAMES[host] ?? [] });
});

afterAll(async () => {
  await outbound.close();
  await web[Symbol.asyncDispose]();
  await canary[Symbol.asyncDispose]();
});

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'one.example': ['127.0.0.1'],
  'two.example': ['127.0.0.1'],
  'inside.example': ['10.0.0.1'],
};

const at = (host: string): string => `http://${host}:${web.port}`;
const one = () => at('one.example');
const two = () => at('two.example');
const to = (location: string, status = 302): string => `${one()}/${status}?${encodeURIComponent(location)}`;

describe('a redirect is refused', () => {
  const denied: readonly (readonly [string, () => string])[] = [
    ['to a host that the manifest does not name', () => `${two()}/`],
    ['to another port', () => `http://one.example:${canary.port}/`],
    ['to another scheme', () => `https://one.example:${web.port}/`],
    ['to a host by its address', () => `${web.origin}/`],
    ['to a host with a dot behind it', () => `http://one.example.:${web.port}/`],
    ['with credentials', () => `http://user:pass@one.example:${web.port}/`],
    ['to a host without a scheme', () => `//127.0.0.1:${canary.port}/`],
    ['with backslashes', () => `\\\\127.0.0.1:${canary.port}\\`],
    ['to a file', () => 'file:///etc/passwd'],
    ['to a script', () => 'javascript:fetch("/")'],
    ['to data', () => 'data:text/plain,x'],
    ['to a named host on a forbidden address', () => `http://inside.example:${canary.port}/`],
  ];
  test.each(denied)('%s', async (_, location) => {
    const origins = [one(), `http://inside.example:${canary.port}`];
    await expect(outbound.fetch(to(location()), origins)).rejects.toThrow(FetchDenied);
    expect(canary.hits).toBe(0);
  });

  test('at the end of a chain of allowed ones', async () => {
    const last = to(`http://127.0.0.1:${canary.port}/`);
    await expect(outbound.fetch(to(to(last)), [one()])).rejects.toThrow(FetchDenied);
    expect(canary.hits).toBe(0);
  });

  test('when the name means something else by then', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    await using rebound = openTestOutbound({
      allowAddresses: ['127.0.0.1/32'],
      resolve: async () => answers.shift() ?? [],
    });
    await expect(rebound.fetch(to('/next'), [one()])).rejects.toThrow('one.example');
    expect(answers).toEqual([]);
  });
});

describe('a redirect is followed', () => {
  test('three times, and not a fourth', async () => {
    const three = to(to(to('/there')));
    expect(await outbound.fetch(three, [one()])).toMatchObject({
      status: 200,
      redirected: true,
      url: `${one()}/there`,
    });
    await expect(outbound.fetch(to(three), [one()])).rejects.toThrow('more than 3 redirects');
  });

  test('for ever: no', async () => {
    const before = arrived.length;
    await expect(outbound.fetch(`${one()}/loop`, [one()])).rejects.toThrow('more than 3 redirects');
    expect(arrived.length - before).toBe(4);
  });

  test('relative to where it came from', async () => {
    const response = await outbound.fetch(to('there?x=1#part'), [one()]);
    expect(response).toMatchObject({ url: `${one()}/there?x=1` });
    expect(textOf(response)).toBe('/there?x=1');
  });

  test.each([
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [303, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [303, 'HEAD', 'HEAD', ''],
    [307, 'POST', 'POST', 'text'],
    [308, 'POST', 'POST', 'text'],
    [301, 'PUT', 'PUT', 'text'],
    [302, 'DELETE', 'DELETE', 'text'],
  ])('%i after %s with %s, and the body stays or goes with it', async (status, method, next, body) => {
    const headers = [['content-type', 'text/x']] as const;
    const request = method === 'HEAD' ? { method } : { method, headers, body: Buffer.from('text') };
    await outbound.fetch(to('/next', status), [one()], request);
    const last = arrived.at(-1)!;
    expect(last).toMatchObject({ method: next, url: '/next', body });
    expect(last.headers['content-type']).toBe(body === '' ? undefined : 'text/x');
  });
});

describe('what is sent along', () => {
  const secrets = [
    ['Authorization', 'Bearer s3cret'],
    ['X-Api-Key', 's3cret'],
    ['X-Amz-Security-Token', 's3cret'],
    ['Private-Token', 's3cret'],
    ['Accept', 'application/json'],
  ] as const;

  test('stays within its origin', async () => {
    await outbound.fetch(to('/same'), [one()], { headers: secrets });
    expect(arrived.at(-1)?.headers).toMatchObject({ authorization: 'Bearer s3cret', 'x-api-key': 's3cret' });
  });

  test('is not sent to another, and not when it comes back', async () => {
    for (const location of [`${two()}/other`, `${two()}/302?${encodeURIComponent(`${one()}/back`)}`]) {
      await outbound.fetch(to(location), [one(), two()], { headers: secrets });
      const { headers } = arrived.at(-1)!;
      expect(JSON.stringify(headers)).not.toContain('s3cret');
      expect(headers).toMatchObject({
        accept: 'application/json',
        'idempotency-key': 'task@1',
        'cronkeeper-fence': '7',
      });
    }
  });
});

describe('the task decides', () => {
  test('to see the redirect instead', async () => {
    const response = await outbound.fetch(to('http://127.0.0.1:1/'), [one()], { redirect: 'manual' });
    expect(response).toMatchObject({ status: 302, redirected: false });
    expect(response.headers).toContainEqual(['location', 'http://127.0.0.1:1/']);
    expect(textOf(response)).toBe('moved');
  });

  test('that it is an error', async () => {
    await expect(outbound.fetch(to('/next'), [one()], { redirect: 'error' })).rejects.toThrow('one.example');
  });
});

test('a redirect without a location is a response', async () => {
  await using bare = await serve((_request, response) => response.writeHead(302).end('where?'));
  expect(textOf(await outbound.fetch(bare.origin, [bare.origin]))).toBe('where?');
});

test('a redirect that never ends is followed before it does', async () => {
  await using slow = await serve((request, response) => {
    if (request.url === '/there') return response.end('there');
    response.writeHead(302, { location: '/there' });
    return response.write('for a full account, wait here');
  });
  expect(textOf(await outbound.fetch(slow.origin, [slow.origin]))).toBe('there');
  await slow.idle();
});

test('a redirect to what is no URL fails', async () => {
  await expect(outbound.fetch(to('http://[::1'), [one()])).rejects.toThrow('redirects to what is no URL');
});
