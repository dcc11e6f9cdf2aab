/** What a request brings: its body as JSON or YAML, its query, checked against a schema. */
import { parseDocument } from 'yaml';
import type * as z from 'zod';
import { invalidDocument } from '../document.ts';
import { messageOf } from '../errors.ts';
import { problemsOf } from '../task.ts';
import { HttpProblem } from './problem.ts';

/** Bytes of a request's body. */
export const BODY_BYTES_MAX = 256 * 1024;

export const JSON_CONTENT_TYPE = 'application/json';
export const YAML_CONTENT_TYPE = 'application/yaml';

const PARSERS: readonly (readonly [pattern: RegExp, name: string, parse: (text: string) => unknown])[] = [
  [/^application\/(?:[\w.-]+\+)?json$/, 'JSON', (text) => JSON.parse(text)],
  [/^(?:application|text)\/(?:x-)?yaml$/, 'YAML', parseYaml],
];

/** Warnings, such as one of an unknown tag, are errors here; aliases are refused, because a small text can mean a large one. */
function parseYaml(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw problem;
  return document.toJS({ maxAliasCount: 0 });
}

/** Levels of lists and objects within each other: more than documents have, less than recursion can bear. */
const DEPTH_MAX = 64;

/** @throws CronkeeperError `invalid` */
function assertShallow(body: unknown): void {
  let level = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) {
      const message = `received more than ${DEPTH_MAX} levels of lists and objects; allowed: at most so many`;
      throw invalidDocument('body', [{ field: '', message }]);
    }
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

/**
 * The body; undefined when there is none. Without a content type it is read as JSON.
 * @throws HttpProblem 400 for text that is not what it says it is, 415 for another type. CronkeeperError `invalid`
 * for one that is nested too deep.
 */
export async function readBody(request: Request): Promise<unknown> {
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength === 0) return undefined;
  const type = (request.headers.get('content-type') ?? JSON_CONTENT_TYPE).split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const parser = PARSERS.find(([pattern]) => pattern.test(type));
  if (parser === undefined) {
    const detail = `content type: received ${type.slice(0, 80)}; allowed: ${JSON_CONTENT_TYPE}, ${YAML_CONTENT_TYPE}`;
    throw new HttpProblem(415, 'invalid', detail);
  }
  const [, name, read] = parser;
  let body: unknown;
  try {
    body = read(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new HttpProblem(400, 'invalid', `the body cannot be read as ${name}: ${firstLine(messageOf(error))}`);
  }
  assertShallow(body);
  return body;
}

const DETAIL_LENGTH_MAX = 200;
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, DETAIL_LENGTH_MAX);

/**
 * What `value` is by `schema`.
 * @throws CronkeeperError `invalid`, with a problem for every wrong field.
 */
export function checked<Schema extends z.ZodObject>(what: string, schema: Schema, value: unknown): z.output<Schema> {
  const known = Object.keys(schema.shape);
  const allowed = known.length === 0 ? 'nothing here' : known.join(', ');
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const problems = problemsOf(result.error).map(({ field, message }) => ({
    field,
    message: message === 'unknown key' ? `unknown; allowed: ${allowed}` : message,
  }));
  throw invalidDocument(what, problems);
}

/** A query string as an object; a name that comes twice is a list, which no schema allows. */
export const queryOf = (url: string): Record<string, string | string[]> => {
  const { searchParams } = new URL(url);
  return Object.fromEntries(
    [...new Set(searchParams.keys())].map((name) => {
      const values = searchParams.getAll(name);
      return [name, values.length === 1 ? (values[0] as string) : values];
    }),
  );
};
