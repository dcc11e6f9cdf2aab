/** Look-ups take threads that everything else needs, and an address that was not checked is connected to after all. */
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { dialler } from '../../src/outbound/dial.ts';
import { FETCH_LIMITS } from '../../src/outbound/limits.ts';
import { Places } from '../../src/outbound/places.ts';
import { Reach } from '../../src/outbound/reach.ts';
import { granted, never, openTestOutbound, serve, type Web } from '../support/web.ts';

let web: Web | undefined;

afterEach(async () => {
  await web?.[Symbol.asyncDispose]();
  web = undefined;
});

const turn = () => new Promise(setImmediate);

describe('look-ups', () => {
  /** A resolver that answers when it is told to. */
  function patient() {
    const asked: { readonly host: string; readonly answer: () => void }[] = [];
    const reach = new Reach({
      resolve: (host) => new Promise((resolve) => asked.push({ host, answer: () => resolve(['8.8.8.8']) })),
    });
    return { asked, reach };
  }

  test('of a run come one after another', async () => {
    const { asked, reach } = patient();
    const own = new Places(FETCH_LIMITS.lookupsPerRun);
    const both = ['a', 'b'].map((name) => reach.addresses(new URL(`http://${name}.example`), own, never));
    await turn();
    expect(asked.map(({ host }) => host)).toEqual(['a.example']);
    asked[0]?.answer();
    await turn();
    expect(asked.map(({ host }) => host)).toEqual(['a.example', 'b.example']);
    asked[1]?.answer();
    expect(await Promise.all(both)).toEqual([['8.8.8.8'], ['8.8.8.8']]);
  });

  test('of a run are few in the program, too', async () => {
    const asked: string[] = [];
    await using outbound = openTestOutbound({
      resolve: (host) => {
        asked.push(host);
        return Promise.reject(new Error('unknown'));
      },
    });
    const fetch = granted(outbound, ['http://a.example', 'http://b.example']);
    const get = (url: string) => fetch({ url, method: 'GET', headers: [] }, never);
    const refused = ['http://a.example', 'http://b.example'].map((url) => expect(get(url)).rejects.toThrow('failed'));
    expect(asked).toHaveLength(0);
    while (asked.length === 0) await Promise.resolve();
    expect(asked).toEqual(['a.example']);
    await Promise.all(refused);
    expect(asked).toEqual(['a.example', 'b.example']);
  });

  test('of all runs are three at a time, and who gave up still counts until the answer is there', async () => {
    const { asked, reach } = patient();
    const over = new AbortController();
    const one = (i: number, signal = never) =>
      reach.addresses(new URL(`http://${i}.example`), new Places(FETCH_LIMITS.lookupsPerRun), signal);
    const gone = [one(1, over.signal), one(2, over.signal), one(3, over.signal), one(4, over.signal)];
    const refused = Promise.all(gone.map((each) => expect(each).rejects.toThrow()));
    const last = one(5);
    await turn();
    over.abort();
    await refused;
    await turn();
    expect(asked.map(({ host }) => host)).toEqual(['1.example', '2.example', '3.example']);
    asked[0]?.answer();
    await turn();
    expect(asked.at(-1)?.host).toBe('5.example');
    asked.at(-1)?.answer();
    expect(await last).toEqual(['8.8.8.8']);
  });

  test('that find hundreds of addresses are cut', async () => {
    const many = Array.from({ length: 200 }, (_, i) => `8.8.4.${i}`);
    const found = await new Reach({ resolve: async () => many }).addresses(
      new URL('http://a.example'),
      new Places(1),
      never,
    );
    expect(found).toEqual(many.slice(0, 16));
  });
});

describe('what is off at one address of this machine', () => {
  const everywhere = { allowAddresses: ['0.0.0.0/0', '::/0'] };
  const own = Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address));

  test.each(['127.0.0.1', '127.0.0.2', '127.255.255.254', '::1', ...own])('is off as %s', async (address) => {
    for (const off of ['127.0.0.1', '::1', ...own]) {
      const reach = new Reach({ ...everywhere, off: [{ host: off, port: 9001 }], resolve: async () => [address] });
      const reached = (url: string) => reach.addresses(new URL(url), new Places(1), never);
      await expect(reached('http://inside.example:9001')).rejects.toThrow('is never open to tasks');
    }
  });

  test('is not off at another port, or on another machine', async () => {
    const off = [{ host: '127.0.0.1', port: 9001 }];
    const reach = new Reach({ ...everywhere, off, resolve: async () => ['127.0.0.1', '10.255.254.253'] });
    const reached = (url: string) => reach.addresses(new URL(url), new Places(1), never);
    expect(await reached('http://inside.example:9002')).toEqual(['127.0.0.1', '10.255.254.253']);
    expect(await reached('http://inside.example:9001')).toEqual(['10.255.254.253']);
  });

  test('says nothing of this machine where another one is off', async () => {
    const off = [{ host: '10.255.254.253', port: 9001 }];
    const reach = new Reach({ ...everywhere, off, resolve: async () => ['127.0.0.1', '10.255.254.253'] });
    expect(await reach.addresses(new URL('http://inside.example:9001'), new Places(1), never)).toEqual(['127.0.0.1']);
  });
});

test('a run that is over while it connects leaves no connection', async () => {
  web = await serve((_request, response) => response.end('hello'));
  const over = new AbortController();
  const outcome = new Promise<unknown>((resolve) =>
    dialler(['127.0.0.1'], over.signal)(
      { hostname: '127.0.0.1', protocol: 'http:', port: `${web?.port}` },
      (error: Error | null, socket: Socket | null) => resolve(error ?? socket),
    ),
  );
  over.abort();
  expect(await outcome).toMatchObject({ name: 'AbortError' });
  await web.idle();
});

test('a connection to what was not checked is closed before a byte is sent', async () => {
  web = await serve((_request, response) => response.end('hello'));
  const { port } = web;
  const connect = dialler(['127.0.0.2'], never);
  const outcome = await new Promise<unknown>((resolve) =>
    // For an address, nothing is looked up: Node goes where it is sent.
    connect(
      { hostname: '127.0.0.1', protocol: 'http:', port: `${port}` },
      (error: Error | null, socket: Socket | null) => resolve(error ?? socket),
    ),
  );
  expect(outcome).toMatchObject({ name: 'FetchDenied', message: expect.stringContaining('was not checked') });
  await web.idle();
});
