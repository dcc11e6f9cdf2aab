/** URL and URLSearchParams. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bench } from './bench.ts';
import { sameAsNode, telling } from './same-as-node.ts';

const PARTS = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];

/** Text in which a parser of URLs sees something in every character. */
const url = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string({ unit: fc.constantFrom(...":/?#[]@!$&'()*+,;=%.-_~ \\\t\nab12zZ0xß字🎉\ud800".split('')), maxLength: 30 }),
  fc
    .tuple(
      fc.constantFrom('http:', 'https://', 'file:///', 'mailto:', 'data:', 'ws://u:p@', '//', ''),
      fc.constantFrom('Example.COM', '[::1]', '127.1', '0x7f.1', 'bücher.de', 'xn--nxasmq6b', 'a%41', 'c:/x', ''),
      fc.constantFrom(':80', ':65536', ':', '/../a/./b', '?q=ü&r#s', '#?', '\\x', ''),
    )
    .map((parts) => parts.join('')),
);

const JOURNEY = `({ input, base, changes }) => {
  const look = (url) => [url.href, url.origin, ...${JSON.stringify(PARTS)}.map((part) => url[part]), [...url.searchParams]];
  try {
    const url = new URL(input, base);
    const { searchParams } = url;
    const seen = [look(url)];
    for (const [part, value] of changes) {
      try {
        if (part === 'append' || part === 'set') searchParams[part](value, 'ü ' + value);
        else if (part === 'delete') searchParams.delete(value);
        else if (part === 'sort') searchParams.sort();
        else url[part] = value;
      } catch (error) {
        seen.push([error.name, error.code]);
      }
      seen.push(look(url));
    }
    return [seen, String(url), JSON.stringify(url), searchParams === url.searchParams, URL.canParse(input, base)];
  } catch (error) {
    return [error.name, error.code, error.message, error.input, URL.canParse(input, base), URL.parse(input, base)];
  }
}`;

const word = fc.string({ unit: fc.constantFrom(...'ab=&+%20?# ü🎉\ud800\ufeff'.split('')), maxLength: 6 });

const LISTS = `({ init, steps }) => {
  const params = new URLSearchParams(init);
  const seen = [];
  for (const [method, name, value] of steps) seen.push(params[method](name, value) ?? null, String(params), params.size);
  const each = [];
  params.forEach((value, name) => each.push(name, value));
  return [seen, [...params], [...params.keys()], [...params.values()], each];
}`;

export function urlTests(bench: Bench): void {
  const same = sameAsNode(bench);

  test('any URL, and whatever is done to it, is what it is in Node', async () => {
    const change = fc.tuple(fc.constantFrom('href', 'append', 'set', 'delete', 'sort', ...PARTS), fc.oneof(url, word));
    const journey = fc.record(
      { input: url, base: url, changes: fc.array(change, { maxLength: 5 }) },
      { requiredKeys: ['input', 'changes'] },
    );
    await fc.assert(
      fc.asyncProperty(journey, (input) => same(JOURNEY, input)),
      { numRuns: 400 },
    );
  });

  test('any list of parameters, and whatever is done to it, is what it is in Node', async () => {
    // Node 24 takes the last byte of each character beside a percent sign that is no UTF-8: "\ufeff%aa" becomes "\ufffd\ufffd".
    const text = word.filter((each) => !(each.includes('%') && /[^ -~]/.test(each)));
    const init = fc.oneof(
      text,
      fc.array(text, { maxLength: 4 }).map((words) => words.join('&')),
      fc.array(fc.tuple(word, word), { maxLength: 4 }),
      fc.dictionary(word, word, { noNullPrototype: true }),
    );
    const step = fc.tuple(fc.constantFrom('append', 'delete', 'get', 'getAll', 'has', 'set', 'sort'), word, word);
    const lists = fc.record({ init, steps: fc.array(step, { maxLength: 5 }) });
    await fc.assert(
      fc.asyncProperty(lists, (input) => same(LISTS, input)),
      { numRuns: 300 },
    );
  });

  describe('as in Node:', () => {
    test.each([
      'new URL()',
      'new URL("nope")',
      'new URL("/x", "nope")',
      'new URL("http://x", null).href',
      'new URL("x", new URL("http://y/z/")).href',
      'URL.canParse()',
      'URL.parse("x", "http://y").href',
      'URL.parse("x")',
      'new URLSearchParams(null).toString()',
      'new URLSearchParams(5).toString()',
      'new URLSearchParams("?a=1").get("a")',
      'new URLSearchParams("??a=1").toString()',
      'new URLSearchParams([[1]])',
      'new URLSearchParams([1])',
      'new URLSearchParams(["ab"])',
      'new URLSearchParams(new Map([["a", 1]])).toString()',
      'new URLSearchParams(new URLSearchParams("a=1&a=2")).toString()',
      'new URLSearchParams().append("a")',
      'new URLSearchParams().get()',
      'new URLSearchParams("a=1&a=2").has("a", 2)',
      'new URLSearchParams("a=1&a=2").has("a", undefined)',
      'String(new URLSearchParams("a=1").set("a", undefined))',
      'Object.prototype.toString.call(new URL("http://x")) + Object.prototype.toString.call(new URLSearchParams())',
      'Object.keys(new URL("http://x"))',
      '(() => { const p = new URLSearchParams("a=1&b=2&c=3"); const s = []; for (const [k] of p) { s.push(k); p.delete(k) } return s })()',
      '(() => { const u = new URL("http://x/?a=1"); const p = u.searchParams; u.search = ""; return [p.size, u.href] })()',
      '(() => { const u = new URL("http://x/?a=1#b"); u.searchParams.delete("a"); return u.href })()',
      '(() => { const u = new URL("http://x/"); u.href = "nope"; })()',
      '[URLSearchParams.prototype.entries === URLSearchParams.prototype[Symbol.iterator], URL.name]',
      'new URL("http://x/" + "a".repeat(50000)).href.length',
    ])('%s', (expression) => same(telling(expression)));
  });

  test('a URL that is longer than what goes to the host at a time is refused', async () => {
    expect(await bench.error('new URL("http://x/" + "a".repeat(70000))')).toMatchObject({
      name: 'RangeError',
      message: expect.stringContaining('64 KiB'),
    });
  });
}
