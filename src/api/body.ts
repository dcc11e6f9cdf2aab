/** What a request brings: its body as JSON or YAML, its query, checked against a schema. */
import { type DocumentOptions, type ParseOptions, parse, type SchemaOptions } from 'yaml';
import type { z } from 'zod';
import { messageOf } from '../errors.ts';
import { invalidDocument, problemsOf } from '../task.ts';
import { HttpProblem } from './problem.ts';

/** Bytes of a request's body. */
export const BODY_BYTES_MAX = 256 * 1024;

export const JSON_CONTENT_TYPE = 'application/json';
export const YAML_CONTENT_TYPE = 'application/yaml';

const PARSERS: readonly (readonly [pattern: RegExp, name: string, parse: (text: string) => unknown])[] = [
  [/^application\/(?:[\w.-]+\+)?json$/, 'JSON', (text) => JSON.parse(text)],
  [/^(?:application|text)\/(?:x-)?yaml$/, 'YAML', parseYaml],
];

/** The few anchors that a hand-written document needs; a document that is a bomb has more. */
const YAML_ALIASES_MAX = 100;
const YAML_OPTIONS: ParseOptions & DocumentOptions & SchemaOptions & { maxAliasCount: number } = {
  maxAliasCount: YAML_ALIASES_MAX,
  logLevel: 'error',
};

function parseYaml(text: string): unknown {
  return parse(text, YAML_OPTIONS);
}

/**
 * The body; undefined when there is none. Without a content type it is read as JSON.
 * @throws HttpProblem 400 for text that is not what it says it is, 415 for another type.
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
  try {
    return read(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new HttpProblem(400, 'invalid', `the body cannot be read as ${name}: ${firstLine(messageOf(error))}`);
  }
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
    message: message.startsWith('unknown key') ? `unknown; allowed: ${allowed}` : message,
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
