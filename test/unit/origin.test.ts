/** A manifest says one host and another is meant. */
import { expect, test } from '@jest/globals';
import { parseOrigin } from '../../src/origin.ts';

test.each([
  ['https://api.example.com', 'https://api.example.com'],
  ['https://api.example.com/', 'https://api.example.com'],
  ['HTTPS://API.Example.COM:443', 'https://api.example.com'],
  ['http://api.example.com:80/', 'http://api.example.com'],
  ['http://api.example.com:443', 'http://api.example.com:443'],
  ['https://api.example.com.', 'https://api.example.com.'],
  ['https://Bücher.example', 'https://xn--bcher-kva.example'],
  ['https://ＡＰＩ.example', 'https://api.example'],
  ['http://0x7f.1:8080', 'http://127.0.0.1:8080'],
  ['http://2130706433', 'http://127.0.0.1'],
  ['http://[0:0:0:0:0:0:0:1]:80', 'http://[::1]'],
  ['http://[::FFFF:127.0.0.1]', 'http://[::ffff:7f00:1]'],
])('%s is %s', (text, origin) => expect(parseOrigin(text)).toBe(origin));

test.each([
  ...['', 'api.example.com', '//api.example.com', '*', '*.example.com', 'https://', 'https://:443', 'null'],
  ...[
    'https://api.example.com/v1',
    'https://api.example.com/?q',
    'https://api.example.com/?',
    'https://a.b/#',
    'http:/a/b',
  ],
  ...[
    'https://user@api.example.com',
    'https://user:pw@api.example.com',
    'https://:@a.b/x',
    'https://a b',
    'https://a%00.b',
  ],
  ...['ftp://api.example.com', 'ws://api.example.com', 'file:///', 'javascript:1', 'data:,x', 'blob:https://a.b/1'],
  ...[
    'https://api.example.com:65536',
    'https://api.example.com:-1',
    'http://[::1',
    'http://[fe80::1%25eth0]',
    'http://1.2.3.256',
  ],
  `https://${'a'.repeat(300)}.example`,
])('%j is refused: what was received, what is allowed', (text) => {
  expect(() => parseOrigin(text)).toThrow(/^received ".*; allowed: an origin of http or https without path/s);
});

test.each(['https://*.example.com', 'https://*', 'http://10.0.0.*'])('%s: there are no wildcards', (text) => {
  expect(() => parseOrigin(text)).toThrow('there are no wildcards');
});
