/** A task reaches what it should not by writing it in another way: every spelling, and a listener that must hear nothing. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FetchDenied } from '../../src/outbound.ts';
import { openTestOutbound, serve, type TestOutbound, type Web } from '../support/web.ts';

/** `PORT` is where the canary listens, on 127.0.0.1 and on ::1. */
const SPELLINGS = [
  // IPv4 loopback, as inet_aton and WHATWG read it.
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://127.1:PORT/',
  'http://127.0.1:PORT/',
  'http://2130706433:PORT/',
  'http://0x7f000001:PORT/',
  'http://0x7F.0x0.0x0.0x1:PORT/',
  'http://0x7f.1:PORT/',
  'http://017700000001:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://0177.1:PORT/',
  'http://127.0.0.0x1:PORT/',
  'http://127.000.000.001:PORT/',
  'http://127.255.255.254:PORT/',
  'http://127.0.0.2:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://127。0。0。1:PORT/',
  'http://１２７．０．０．１:PORT/',
  'http://127%2e0%2e0%2e1:PORT/',
  'http://%31%32%37.0.0.1:PORT/',
  'http://0:PORT/',
  'http://0.0.0.0:PORT/',
  'http://0x0:PORT/',
  'http://00:PORT/',
  'http://0.1:PORT/',
  // IPv6 loopback and unspecified, and IPv4 inside IPv6.
  'http://[::1]:PORT/',
  'http://[0:0:0:0:0:0:0:1]:PORT/',
  'http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/',
  'http://[::]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/',
  'http://[::FFFF:0x7f.1]:PORT/',
  'http://[::127.0.0.1]:PORT/',
  'http://[::ffff:0:127.0.0.1]:PORT/',
  'http://[64:ff9b::127.0.0.1]:PORT/',
  'http://[64:ff9b:1::7f00:1]:PORT/',
  'http://[2002:7f00:1::]:PORT/',
  'http://[2001:0:7f00:1::]:PORT/',
  'http://[fe80::1%25lo]:PORT/',
  'http://[::1%25lo]:PORT/',
  'http://[::1%lo]:PORT/',
  'http://[::ffff:0.0.0.0]:PORT/',
  // Names that mean loopback.
  'http://localhost:PORT/',
  'http://LOCALHOST:PORT/',
  'http://localhost.:PORT/',
  'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/',
  'http://local\u00adhost:PORT/',
  'http://ip6-localhost:PORT/',
  'http://localhost.localdomain:PORT/',
  'http://127.0.0.1.nip.io:PORT/',
  'http://localtest.me:PORT/',
  'http://mapped.example:PORT/',
  'http://nat64.example:PORT/',
  'http://zone.example:PORT/',
  'http://both.example:PORT/',
  'http://nonsense.example:PORT/',
  'http://nothing.example:PORT/',
  // The URL itself.
  'HTTP://127.0.0.1:PORT/',
  'hTtP://127.0.0.1:PORT/',
  'http:127.0.0.1:PORT/',
  'http:/127.0.0.1:PORT/',
  'http:////127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT/',
  'http://127.0.0.1:PORT\\@good.example/',
  'http://good.example@127.0.0.1:PORT/',
  'http://good.example:80@127.0.0.1:PORT/',
  'http://good.example%40127.0.0.1:PORT/',
  'http://good.example#@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT#@good.example/',
  'http://127.0.0.1:PORT?@good.example/',
  'http://good.example\t@127.0.0.1:PORT/',
  ' http://127.0.0.1:PORT/ ',
  'ht\ntp://127.0.0.1:PORT/',
  'http://127.\t0.0.1:PORT/',
  'http://127.0.0.1\n:PORT/',
  '\u0000http://127.0.0.1:PORT/',
  'http://127.0.0.1:0PORT/',
  'http://127.0.0.1:PORT/../',
  '//127.0.0.1:PORT/',
  '127.0.0.1:PORT',
  'https://127.0.0.1:PORT/',
  'ws://127.0.0.1:PORT/',
  'wss://127.0.0.1:PORT/',
  'ftp://127.0.0.1:PORT/',
  'gopher://127.0.0.1:PORT/_GET',
  'file:///etc/passwd',
  'file://127.0.0.1:PORT/',
  'data:text/plain,canary',
  'blob:http://127.0.0.1:PORT/0',
  'javascript:fetch("http://127.0.0.1:PORT/")',
  'unix:/var/run/docker.sock',
  'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
];

/** What names mean in this test. Nothing is asked outside. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['::1', '127.0.0.1'],
  'localhost.': ['127.0.0.1'],
  'ip6-localhost': ['::1'],
  'localhost.localdomain': ['127.0.0.1'],
  '127.0.0.1.nip.io': ['127.0.0.1'],
  'localtest.me': ['127.0.0.1', '::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'zone.example': ['::1%lo', 'fe80::1%lo'],
  'both.example': ['10.0.0.1', '127.0.0.1', '::1', '169.254.169.254'],
  'nonsense.example': ['localhost', '127.1', ''],
  'nothing.example': [],
  'good.example': ['127.0.0.1'],
  'innocent.example': ['127.0.0.1'],
};

let canaries: readonly Web[];
let outbound: TestOutbound;

beforeAll(async () => {
  const four = await serve((_request, response) => response.end('canary'));
  const six = await serve((_request, response) => response.end('canary'), '::1', four.port);
  canaries = [four, six];
  outbound = openTestOutbound({
    resolve: async (host) => {
      const addresses = NAMES[host];
      if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
      return addresses;
    },
  });
});

afterAll(async () => {
  await outbound.close();
  for (const canary of canaries) await canary[Symbol.asyncDispose]();
});

const spelt = (spelling: string): string => spelling.replaceAll('PORT', `${canaries[0]!.port}`);

/** As a manifest could name it, by whatever way it got into the record. */
const namesOf = (url: string): string[] => [url, ...(URL.canParse(url) ? [new URL(url).origin] : [])];

const outcomeOf = (url: string, origins: readonly string[]): Promise<unknown> =>
  outbound.fetch(url, origins).then(
    ({ url: reached }) => `reached ${reached}`,
    (error: unknown) => error,
  );

const hits = (): number[] => canaries.map((canary) => canary.hits);

test.each(SPELLINGS)('%j does not get there, though the manifest names it', async (spelling) => {
  const url = spelt(spelling);
  const outcome = await outcomeOf(url, namesOf(url));
  expect(outcome).toBeInstanceOf(Error);
  expect(hits()).toEqual([0, 0]);
});

test.each(SPELLINGS)('%j does not get there under an innocent manifest', async (spelling) => {
  const outcome = await outcomeOf(spelt(spelling), ['https://innocent.example', 'http://innocent.example']);
  expect(outcome).toBeInstanceOf(Error);
  expect(hits()).toEqual([0, 0]);
});

test('the canaries sing when they are permitted, so the silence means something', async () => {
  await using permitted = openTestOutbound({
    allowAddresses: ['127.0.0.0/8', '::1/128'],
    resolve: async () => ['127.0.0.1'],
  });
  const { port } = canaries[0]!;
  for (const host of ['127.0.0.1', '[::1]', 'localtest.me']) {
    const origin = `http://${host}:${port}`;
    expect(await permitted.fetch(`${origin}/`, [origin])).toMatchObject({ status: 200 });
  }
  expect(hits()).toEqual([2, 1]);
});

test('loopback through the machine’s own resolver is refused, too, and says why', async () => {
  await using own = openTestOutbound();
  const origin = `http://localhost:${canaries[0]!.port}`;
  const refused = own.fetch(origin, [origin]);
  await expect(refused).rejects.toThrow(FetchDenied);
  await expect(refused).rejects.toThrow(/^localhost:\d+ is in .* \(loopback\), which the operator does not allow$/);
});
