/** The console page: one static file, and the policy under which a browser runs it and nothing else. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Beside this file in the source; a bundle has a copy beside itself. */
export const consoleUrl: URL = new URL('./console.html', import.meta.url);

export interface ConsolePage {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

let page: ConsolePage | undefined;

/** Read once; small, and asked for seldom. */
export function readConsole(): ConsolePage {
  page ??= pageOf(readFileSync(consoleUrl, 'utf8'));
  return page;
}

/** The policy names the page's own style and script by their hashes: what gets into the page otherwise does not run. */
function pageOf(html: string): ConsolePage {
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  return { html, contentSecurityPolicy };
}

const hashesOf = (html: string, tag: 'script' | 'style'): string =>
  [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))]
    .map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    .join(' ');
