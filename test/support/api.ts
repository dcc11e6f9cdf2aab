/** The API on a Cronkeeper of its own, in memory, and short ways to ask it. */
import { expect } from '@jest/globals';
import type { Keeper } from '../../src/api/route.ts';
import { type ApiOptions, createApi } from '../../src/api.ts';
import { type Cronkeeper, openCronkeeper } from '../../src/app.ts';
import type { Tasks } from '../../src/tasks.ts';

export const API_TOKEN = 'write-token-0123456789';
export const READ_TOKEN = 'read-token-0123456789';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape.
  readonly body: any;
}

export interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Api {
  readonly keeper: Cronkeeper;
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

/** On every answer, beside a policy for its content. */
export const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': expect.stringMatching(/^max-age=\d{7,}/),
};

/** A keeper that does some things in another way. */
export const keeperWith = (
  keeper: Cronkeeper,
  { tasks, status = () => keeper.status() }: { readonly tasks?: Partial<Tasks>; readonly status?: Keeper['status'] },
): Keeper => ({
  as: (principal) => ({ ...keeper.as(principal), ...tasks }),
  audit: (options) => keeper.audit(options),
  emit: (event) => keeper.emit(event),
  status,
});

type Requestable = ReturnType<typeof createApi>;

/** Text and bytes are sent as they are; other bodies as JSON. */
export async function askApp(
  app: Requestable,
  method: string,
  path: string,
  { body, headers = {} }: Ask = {},
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await app.request(path, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/** Anonymous callers may do everything, unless the options say otherwise. */
export async function openApi(options: Partial<ApiOptions> = {}): Promise<Api> {
  const keeper = await openCronkeeper({ url: 'embedded:' });
  const app = createApi({ keeper, allowAnonymous: true, ...options });
  return {
    keeper,
    ask: (method, path, ask) => askApp(app, method, path, ask),
    close: () => keeper.close(),
  };
}

/** Keys of an answer that its schema, and so the OpenAPI page, does not know. */
export const undocumented = (value: object, schema: { readonly shape: object }): string[] =>
  Object.keys(value).filter((key) => !Object.hasOwn(schema.shape, key));
