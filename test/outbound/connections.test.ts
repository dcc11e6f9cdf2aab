/** What was checked is not what is connected to. */
import { createServer as createSecureServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CronkeeperError } from '../../src/errors.ts';
import { FetchDenied } from '../../src/outbound.ts';
import { selfSigned } from '../support/certificate.ts';
import { openTestOutbound, serve, textOf, type Web, watch } from '../support/web.ts';

const PERMITTED = { allowAddresses: ['127.0.0.1/32'] };

const webs: Web[] = [];
const opened = async (web: Promise<Web>): Promise<Web> => {
  webs.push(await web);
  return web;
};

afterEach(async () => {
  for (const web of webs.splice(0)) await web[Symbol.asyncDispose]();
});

const hello = (host = '127.0.0.1', port = 0) =>
  opened(serve((request, response) => response.end(`hello ${request.headers.host}`), host, port));

describe('a name', () => {
  test('is looked up once, and what it means later is of no interest', async () => {
    const web = await hello();
    const canary = await hello('127.0.0.2', web.port);
    const asked: string[] = [];
    await using outbound = openTestOutbound({
      ...PERMITTED,
      resolve: async (host) => {
        asked.push(host);
        return asked.length === 1 ? ['127.0.0.1'] : ['127.0.0.2'];
      },
    });
    const origin = `http://rebind.example:${web.port}`;
    expect(textOf(await outbound.fetch(origin, [origin]))).toBe(`hello rebind.example:${web.port}`);
    expect(asked).toEqual(['rebind.example']);
    await expect(outbound.fetch(origin, [origin])).rejects.toThrow(FetchDenied);
    expect([web.hits, canary.hits]).toEqual([1, 0]);
  });

  test('that has allowed addresses and others is connected to at the allowed ones only', async () => {
    const web = await hello();
    const canary = await hello('127.0.0.2', web.port);
    const six = await hello('::1', web.port);
    const addresses = ['127.0.0.2', '::1', '10.0.0.1', '127.0.0.1', '169.254.169.254'];
    await using outbound = openTestOutbound({ ...PERMITTED, resolve: async () => addresses });
    const origin = `http://mixed.example:${web.port}`;
    expect(await outbound.fetch(origin, [origin])).toMatchObject({ status: 200 });
    expect([web.hits, canary.hits, six.hits]).toEqual([1, 0, 0]);
  });

  test('of which an address does not answer is reached at the next', async () => {
    const web = await hello();
    await using outbound = openTestOutbound({
      allowAddresses: ['127.0.0.0/8', '::1/128'],
      resolve: async () => ['::1', '127.0.0.3', '127.0.0.1'],
    });
    const origin = `http://half.example:${web.port}`;
    expect(await outbound.fetch(origin, [origin])).toMatchObject({ status: 200 });
  });

  test.each([
    ...[
      'http://other.example',
      'http://named.example.other.example',
      'http://named.example:8080',
      'http://amed.example',
    ],
    ...['https://named.example', 'http://sub.named.example', 'http://named.example.', 'http://named%2eexample.other'],
  ])('that is not the allowed one is not even looked up: %s', async (url) => {
    await using outbound = openTestOutbound({
      resolve: () => {
        throw new Error('looked up');
      },
    });
    await expect(outbound.fetch(url, ['http://named.example'])).rejects.toThrow(
      /^"https?:\/\/.*" is not in the task's capabilities\.fetch$/,
    );
  });

  test('is not told to the task by its address inside', async () => {
    await using outbound = openTestOutbound({ resolve: async () => ['10.11.12.13'] });
    await expect(outbound.fetch('http://inside.example', ['http://inside.example'])).rejects.toThrow(
      /^inside\.example is in 10\.0\.0\.0\/8 \(private use\), which the operator does not allow$/,
    );
  });
});

describe('the coordinator', () => {
  const off = (port: number) => [
    { host: 'zk.example', port },
    { host: '::1', port },
  ];
  const names = async (host: string) => (host === 'zk.example' ? ['127.0.0.1'] : ['127.0.0.1', '::1']);

  test.each(['127.0.0.1', 'zk.example', 'alias.example', '[::1]'])('as %s is reached by nobody', async (host) => {
    const web = await hello();
    const six = await hello('::1', web.port);
    await using outbound = openTestOutbound({
      allowAddresses: ['0.0.0.0/0', '::/0'],
      off: off(web.port),
      resolve: names,
    });
    const origin = `http://${host}:${web.port}`;
    await expect(outbound.fetch(origin, [origin])).rejects.toThrow(/is never open to tasks/);
    expect([web.hits, six.hits]).toEqual([0, 0]);
  });

  test('shares its machine with what may be reached', async () => {
    const web = await hello();
    await using outbound = openTestOutbound({
      ...PERMITTED,
      off: off(2181),
      denyEndpoints: ['127.0.0.1:2182'],
      resolve: names,
    });
    expect(await outbound.fetch(web.origin, [web.origin])).toMatchObject({ status: 200 });
  });

  test('whose name cannot be looked up is not taken for another', async () => {
    const web = await hello();
    const resolve = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    await using outbound = openTestOutbound({ ...PERMITTED, off: off(web.port), resolve });
    await expect(outbound.fetch(web.origin, [web.origin])).rejects.toThrow('no such host');
    expect(web.hits).toBe(0);
  });

  test('or what else the operator names: an endpoint is refused, whatever is permitted', async () => {
    const web = await hello();
    const six = await hello('::1', web.port);
    const denyEndpoints = [`127.0.0.1:${web.port}`, `[::1]:${web.port}`];
    await using outbound = openTestOutbound({ allowAddresses: ['127.0.0.0/8', '::1/128'], denyEndpoints });
    for (const { origin } of [web, six]) await expect(outbound.fetch(origin, [origin])).rejects.toThrow(FetchDenied);
    expect([web.hits, six.hits]).toEqual([0, 0]);
  });
});

test.each([
  [{ allowAddresses: '10.0.0.0/8' }, 'fetch.allowAddresses: received "10.0.0.0/8"; allowed: a list'],
  [{ allowAddresses: ['10.0.0.0/8', '10.0.0.1'] }, 'fetch.allowAddresses: received "10.0.0.1"; allowed: a block'],
  [{ allowAddresses: [7] }, 'fetch.allowAddresses: received 7; allowed: a block'],
  [{ allowAddresses: Array(65).fill('10.0.0.0/8') }, 'allowed: a list of at most 64'],
  [{ denyEndpoints: ['127.0.0.1'] }, 'fetch.denyEndpoints: received "127.0.0.1"; allowed: host:port'],
])('permissions that are none are refused: %j', (options, message) => {
  const open = () => openTestOutbound(options as object);
  expect(open).toThrow(CronkeeperError);
  expect(open).toThrow(message);
});

describe('TLS', () => {
  test('asks for the name, and verifies it, though the address was given', async () => {
    const pair = selfSigned('secure.example');
    const server = createSecureServer(pair, ({ socket }, response) =>
      response.end(`${(socket as TLSSocket).servername}`),
    );
    const web = await opened(watch(server));
    await using outbound = openTestOutbound({ ...PERMITTED, resolve: async () => ['127.0.0.1'] });
    const at = (host: string) => `https://${host}:${web.port}`;
    const fetch = (host: string) => outbound.fetch(at(host), [at(host)]);

    await expect(fetch('secure.example')).rejects.toThrow(
      /its certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, pair.cert]);
    try {
      expect(textOf(await fetch('secure.example'))).toBe('secure.example');
      expect(textOf(await fetch('secure.example.'))).toBe('secure.example');
      for (const host of ['other.example', '127.0.0.1']) {
        await expect(fetch(host)).rejects.toThrow(/its certificate is for another name/);
      }
    } finally {
      setDefaultCACertificates(trusted);
    }
    await web.idle();
  });

  test('with what speaks none is an error that names the host', async () => {
    const web = await hello();
    await using outbound = openTestOutbound(PERMITTED);
    const origin = `https://127.0.0.1:${web.port}`;
    await expect(outbound.fetch(origin, [origin])).rejects.toThrow(/^127\.0\.0\.1:\d+: no TLS with it/);
  });
});

describe('the environment', () => {
  const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];

  test('names a proxy: it is not used', async () => {
    const [web, proxy] = [await hello(), await hello()];
    const before = { ...process.env };
    for (const name of VARIABLES) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.origin;
    delete process.env.NO_PROXY;
    delete process.env.no_proxy;
    try {
      await using outbound = openTestOutbound(PERMITTED);
      expect(await outbound.fetch(web.origin, [web.origin])).toMatchObject({ status: 200 });
      expect([web.hits, proxy.hits]).toEqual([1, 0]);
    } finally {
      for (const name of [...VARIABLES, 'NO_PROXY', 'no_proxy']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});

describe('what fails says which host, and no more', () => {
  test.each([
    ['ENOTFOUND', 'no such host'],
    ['EAI_AGAIN', 'its name cannot be looked up now'],
    ['EWHATEVER', 'the request failed'],
  ])('%s: %s', async (code, meaning) => {
    const error = Object.assign(new Error(`getaddrinfo ${code} at /home/somebody/secret.js 10.0.0.1`), { code });
    await using outbound = openTestOutbound({ resolve: () => Promise.reject(error) });
    await expect(outbound.fetch('http://a.example', ['http://a.example'])).rejects.toThrow(
      new RegExp(`^a\\.example: ${meaning} \\(${code}\\)$`),
    );
  });

  test('a connection that is refused', async () => {
    const web = await hello();
    await web[Symbol.asyncDispose]();
    await using outbound = openTestOutbound({ ...PERMITTED, resolve: async () => ['127.0.0.1'] });
    const origin = `http://gone.example:${web.port}`;
    await expect(outbound.fetch(origin, [origin])).rejects.toThrow(
      /^gone\.example:\d+: connection refused \(ECONNREFUSED\)$/,
    );
  });

  test('a connection that ends without an answer', async () => {
    const web = await opened(serve((request) => request.socket.destroy()));
    await using outbound = openTestOutbound(PERMITTED);
    await expect(outbound.fetch(web.origin, [web.origin])).rejects.toThrow(/: connection closed by the other side/);
    expect(web.hits).toBe(1);
  });
});
