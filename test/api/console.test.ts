/** The console page: data can only become text, and nothing but the page's own script runs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { consoleUrl } from '../../src/api/console.ts';
import { createApi } from '../../src/api.ts';
import { askApp } from '../support/api.ts';

const html = readFileSync(consoleUrl, 'utf8');
const [script = '', ...otherScripts] = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => text);
const [style = ''] = [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map(([, text]) => text);

const page = () => {
  const never = () => Promise.reject(new Error('the page itself holds no data'));
  const app = createApi({
    keeper: { as: () => ({}) as never, audit: never, emit: never, status: never },
    apiToken: 'x'.repeat(16),
  });
  return askApp(app, 'GET', '/');
};

test('it comes without a token, and holds no data', async () => {
  const { status, headers, text } = await page();
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(text).toBe(html);
});

test('its policy lets its own script and style run, by their hashes, and nothing else', async () => {
  const policy = Object.fromEntries(
    String((await page()).headers.get('content-security-policy'))
      .split('; ')
      .map((directive) => directive.split(/ (.*)/)),
  );
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  expect(otherScripts).toEqual([]);
  expect(policy).toEqual({
    'default-src': "'none'",
    'script-src': hash(script),
    'style-src': hash(style),
    'connect-src': "'self'",
    'img-src': 'data:',
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
  });
});

test('it has no way to turn data into markup or code', () => {
  const dangerous =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|\.href\s*=|setAttribute\('on/;
  expect(script).not.toMatch(dangerous);
  expect(html.replace(script, '')).not.toMatch(/\son\w+\s*=|javascript:|style\s*=/i);
  expect(html).not.toMatch(/https?:\/\//);
});

test('its script is one that a browser can read', () => {
  expect(() => new Function(script)).not.toThrow();
});

test('every element that the script asks for is there', () => {
  const asked = [...script.matchAll(/byId\('([\w-]+)'\)/g)].map(([, id]) => id);
  const missing = asked.filter((id) => !html.includes(`id="${id}"`));
  expect(asked.length).toBeGreaterThan(10);
  expect(missing).toEqual([]);
});
