/** One HTTP request to the API and its answer, or an error that says what is known of the outcome. */
import * as z from 'zod';
import { problem } from '../api/schemas.ts';
import type { Clock } from '../clock.ts';
import { CronkeeperError, type ErrorCode, messageOf, received } from '../errors.ts';

export interface TransportOptions {
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** From the endpoint on, each part percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: unknown;
}

export interface HttpAnswer<Value> {
  readonly status: number;
  readonly value: Value;
}

/** Sends a request, and reads the answer by a schema. @throws CronkeeperError */
export type Transport = <Value>(request: HttpRequest, schema: z.ZodType<Value>) => Promise<HttpAnswer<Value>>;

/** Bytes of an answer that are read; a page of the API has at most 4 MiB. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Codes of errors before anything was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** @throws CronkeeperError `invalid` for an endpoint or a token that cannot be. */
export function createTransport({ endpoint, token, timeoutMs, clock }: TransportOptions): Transport {
  const base = parseEndpoint(endpoint);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw invalid('token', `received ${token.length} characters; allowed: visible ASCII characters, at least one`);
  }
  const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };

  return async (request, schema) => {
    const { method, path, query = {}, body } = request;
    const url = new URL(`${base}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const contentType = body === undefined ? undefined : { 'content-type': 'application/json' };
    const timeout = new AbortController();
    const cancel = clock.after(timeoutMs, () => timeout.abort(new Error(`no answer within ${timeoutMs} ms`)));
    try {
      const response = await fetch(url, {
        method,
        headers: { accept: 'application/json', ...authorization, ...contentType, ...request.headers },
        ...(body !== undefined && { body: jsonText(body) }),
        // A redirect would carry the request, and perhaps the token, to somebody else.
        redirect: 'manual',
        signal: timeout.signal,
      });
      const text = await readText(response);
      if (!response.ok) throw errorOf(base, response, text);
      return { status: response.status, value: readValue(base, response, text, schema) };
    } catch (error) {
      throw error instanceof CronkeeperError ? error : failure(base, method, error);
    } finally {
      cancel();
    }
  };
}

function parseEndpoint(endpoint: string): string {
  const url = URL.parse(endpoint);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === null || !isHttp || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    const shown = received(endpoint.replace(/\/\/[^/]*@/, '//…@'));
    throw invalid('endpoint', `received ${shown}; allowed: an http or https URL, such as "https://cron.example.com"`);
  }
  return url.href.replace(/\/+$/, '');
}

function invalid(field: string, message: string): CronkeeperError {
  return new CronkeeperError('invalid', `${field}: ${message}`, { problems: [{ field, message }] });
}

function jsonText(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new CronkeeperError('invalid', `received a value that is not JSON: ${messageOf(cause)}`, { cause });
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES_MAX)
      throw new CronkeeperError('too-large', `an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function readValue<Value>(base: string, { status }: Response, text: string, schema: z.ZodType<Value>): Value {
  const result = schema.safeParse(text === '' ? undefined : parsed(text));
  if (result.success) return result.data;
  throw new CronkeeperError(
    'internal',
    `${base} answered ${status} with something else than expected: ${z.prettifyError(result.error)}`,
  );
}

/** JSON, or undefined for what is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The codes of problem documents that are codes of errors here too; others are those of a newer server. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  ...([
    'invalid',
    'not-found',
    'conflict',
    'too-large',
    'quota-exceeded',
    'unauthenticated',
    'forbidden',
    'fenced',
  ] as const),
  ...(['unavailable', 'outcome-unknown', 'session-lost', 'corrupt', 'internal'] as const),
]);
const isErrorCode = (code: string): code is ErrorCode => CODES.has(code);

/** What something between us and the API, such as a gateway, says by its status alone. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  413: 'too-large',
  429: 'unavailable',
  502: 'outcome-unknown',
  503: 'unavailable',
  504: 'outcome-unknown',
};

function errorOf(base: string, { status, headers }: Response, text: string): CronkeeperError {
  const document = problem.safeParse(parsed(text));
  if (document.success) {
    const { code, detail, errors = [] } = document.data;
    return new CronkeeperError(isErrorCode(code) ? code : 'invalid', detail, { problems: errors });
  }
  const what = `${base} answered ${status} ${headers.get('content-type') ?? 'without a content type'}`;
  const code = CODE_OF_STATUS[status];
  if (code !== undefined) return new CronkeeperError(code, what);
  return status >= 500
    ? new CronkeeperError('internal', what)
    : invalid('endpoint', `${what}; allowed: the address of a Cronkeeper API`);
}

/** No answer: a question can be asked again, a change may have been made. */
function failure(base: string, method: string, error: unknown): CronkeeperError {
  // fetch hides what happened in the cause of its own error.
  const cause = has(error, 'cause') ? error.cause : error;
  const code = has(cause, 'code') ? String(cause.code) : '';
  const isHarmless = method === 'GET' || NOT_SENT.has(code);
  return new CronkeeperError(isHarmless ? 'unavailable' : 'outcome-unknown', `${base}: ${messageOf(cause) || code}`, {
    cause: error,
  });
}

const has = <Key extends string>(value: unknown, key: Key): value is Readonly<Record<Key, unknown>> =>
  typeof value === 'object' && value !== null && key in value && (value as Record<Key, unknown>)[key] !== undefined;
