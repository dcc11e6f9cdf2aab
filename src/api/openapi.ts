/** The OpenAPI 3.1 page, made from the table of routes and the schemas that they check with. Pure. */

import * as z from 'zod';
import { taskSchema } from '../task.ts';
import { PROBLEM_CONTENT_TYPE } from './problem.ts';
import type { AnswerDescription, Route } from './route.ts';
import * as schemas from './schemas.ts';
import { STATUS_CODES } from './statuses.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of the contract, not of the program: it grows with what clients can see. */
const API_VERSION = '1.0.0';

const TASK_ID: Json = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of the task.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
};

export function openApiPage(routes: readonly Route[]): Json {
  const components = componentSchemas(routes);
  const paths = [...new Set(routes.map(({ path }) => path))].map((path) => {
    const operations = routes.filter((route) => route.path === path);
    return [path, Object.fromEntries(operations.map((route) => [route.method.toLowerCase(), operation(route)]))];
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cronkeeper',
      version: API_VERSION,
      description: 'Distributed cron without a resident scheduler. Errors are RFC 9457 problem documents.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: components,
      responses: {
        Problem: answer({
          description: 'A problem document.',
          schema: schemas.problem,
          contentType: PROBLEM_CONTENT_TYPE,
        }),
      },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(route: Route): Json {
  const { operationId, summary, access, path, query, headers = {}, body, answers } = route;
  const answered = Object.entries(answers).map(([status, description]) => [status, answer(description)]);
  const refused = problemsOf(route).map((status) => [
    String(status),
    { $ref: '#/components/responses/Problem', description: STATUS_CODES[status] },
  ]);
  return {
    operationId,
    summary,
    security: access === 'open' ? [] : [{ bearer: [] }],
    parameters: [
      ...(path.includes('{id}') ? [TASK_ID] : []),
      ...queryParameters(query),
      ...Object.entries(headers).map(([name, description]) => ({
        ...{ name, in: 'header', description, schema: { type: 'string' } },
      })),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: body.required,
        content: Object.fromEntries(body.contentTypes.map((type) => [type, { schema: schemaOf(body.schema) }])),
      },
    }),
    responses: Object.fromEntries([...answered, ...refused]),
  };
}

/** Every status that a route may refuse with; it reads its query, and its path where that names a task. */
function problemsOf({ access, body, problems = [] }: Route): number[] {
  if (access === 'open') return [...problems];
  const asked = body === undefined ? [] : [400, 413, 415];
  return [...new Set([401, 403, 422, 503, 504, ...asked, ...problems])].sort();
}

function answer({ description, schema, contentType = 'application/json', headers }: AnswerDescription): Json {
  const named = Object.entries(headers ?? {}).map(([name, meaning]) => [
    name,
    { description: meaning, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(named.length > 0 && { headers: Object.fromEntries(named) }),
    ...(schema !== undefined && { content: { [contentType]: { schema: schemaOf(schema) } } }),
  };
}

function queryParameters(query: z.ZodObject): Json[] {
  const { properties = {} } = toJsonSchema(query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', required: false, schema },
    ...(description !== undefined && { description }),
  }));
}

/** A reference for a schema that has a name, the schema itself for one that has none. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, $defs: __, ...own } = toJsonSchema(schema);
  return renamed(own);
};

/** All schemas with a name, by name. */
function componentSchemas(routes: readonly Route[]): Json {
  const used = routes.flatMap(({ body, answers }) => [
    ...(body === undefined ? [] : [body.schema]),
    ...Object.values(answers).flatMap(({ schema }) => schema ?? []),
  ]);
  const { $defs } = toJsonSchema(z.tuple([taskSchema, schemas.problem, ...used])) as { $defs: Json };
  const named = Object.entries($defs).map(([name, schema]) => [
    name === ANY_JSON ? 'Json' : name,
    renamed(schema as Json),
  ]);
  return Object.fromEntries(named.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** What zod calls the schema of `z.json()`, the only one that refers to itself without a name. */
const ANY_JSON = '__schema0';

/** References as they are written in this page. */
const renamed = (schema: Json): Json =>
  JSON.parse(
    JSON.stringify(schema)
      .replaceAll(`"#/$defs/${ANY_JSON}"`, '"#/components/schemas/Json"')
      .replaceAll('"#/$defs/', '"#/components/schemas/'),
  );

/** What callers write: `meta({ override })` stands in for what zod cannot say itself. */
const toJsonSchema = (schema: z.ZodType): Json =>
  z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const override = z.globalRegistry.get(zodSchema)?.override;
      if (typeof override !== 'object' || override === null) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema];
      Object.assign(jsonSchema, override);
    },
  });
