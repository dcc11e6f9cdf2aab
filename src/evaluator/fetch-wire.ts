/**
 * Requests and responses as the guest writes and reads them: JSON. What it writes is any text at all, so every part is
 * checked. `{ url, method?, headers?: [name, value][], text? | base64?, redirect? }` becomes a request; a response is
 * `{ url, redirected, status, statusText, headers, text | base64 }`.
 */
import { isUtf8 } from 'node:buffer';
import { received } from '../errors.ts';
import type { FetchRequest, FetchResponse, HeaderList, RedirectMode } from '../outbound.ts';

const MODES: ReadonlySet<unknown> = new Set<RedirectMode>(['follow', 'manual', 'error']);

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const TEXT_TYPE = ['content-type', 'text/plain;charset=UTF-8'] as const;

/** @throws Error that says what was received, and what is allowed. */
export function requestOf(json: string): FetchRequest {
  const { url, method = 'GET', headers = [], text, base64, redirect = 'follow', ...unknown } = fieldsOf(json);
  if (typeof url !== 'string') throw wrong('url', url, 'a text');
  if (typeof method !== 'string') throw wrong('method', method, 'a text');
  if (!isHeaderList(headers)) throw wrong('headers', headers, 'a list of names and values');
  if (!isMode(redirect)) throw wrong('redirect', redirect, 'follow, manual or error');
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw wrong(name, unknown[name], 'nothing of that name');
  const hasType = headers.some(([each]) => each.toLowerCase() === 'content-type');
  const body = bodyOf(text, base64);
  const typed = typeof text === 'string' && !hasType ? [...headers, TEXT_TYPE] : headers;
  return { url, method, headers: typed, redirect, ...(body !== undefined && { body }) };
}

/** Text where it is the shorter of the two: what is full of control characters would be six times as long. */
export function responseJson({ body, ...head }: FetchResponse): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const base64 = bytes.toString('base64');
  const text = isUtf8(bytes) ? JSON.stringify(bytes.toString('utf8')) : undefined;
  const member = text !== undefined && text.length <= base64.length + 2 ? `"text":${text}` : `"base64":"${base64}"`;
  return `${JSON.stringify(head).slice(0, -1)},${member}}`;
}

/** The URL, for a message. */
export function urlOf(json: string): string {
  try {
    return received(fieldsOf(json).url);
  } catch {
    return received(json);
  }
}

function fieldsOf(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('request', value, 'an object');
  return { ...value };
}

function bodyOf(text: unknown, base64: unknown): Uint8Array | undefined {
  if (text !== undefined && base64 !== undefined) throw wrong('base64', base64, 'one of text and base64');
  if (text !== undefined) {
    if (typeof text !== 'string') throw wrong('text', text, 'a text');
    return Buffer.from(text);
  }
  if (base64 === undefined) return undefined;
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || !BASE64.test(base64)) {
    throw wrong('base64', base64, 'bytes in base64');
  }
  return Buffer.from(base64, 'base64');
}

const isMode = (value: unknown): value is RedirectMode => MODES.has(value);

const isHeaderList = (value: unknown): value is HeaderList =>
  Array.isArray(value) &&
  value.every(
    (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === 'string'),
  );

const wrong = (field: string, value: unknown, allowed: string) =>
  new Error(`${field}: received ${received(value)}; allowed: ${allowed}`);
