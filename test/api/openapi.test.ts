/** The OpenAPI page: what it says exists, what exists is in it, and it hangs together. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createApi } from '../../src/api.ts';
import { TASK_LIMITS } from '../../src/document.ts';
import { type Api, openApi } from '../support/api.ts';

// biome-ignore lint/suspicious/noExplicitAny: a JSON document of many shapes.
type Json = any;

let api: Api;
let page: Json;
beforeAll(async () => {
  api = await openApi();
  page = (await api.ask('GET', '/openapi.json')).body;
});
afterAll(() => api.close());

/** Every object in the page, with where it is. */
function* objectsIn(value: Json, path = '#'): Generator<[path: string, value: Json]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value];
  for (const [key, child] of Object.entries(value)) yield* objectsIn(child, `${path}/${key}`);
}

const resolve = (ref: string): Json =>
  ref
    .slice(2)
    .split('/')
    .reduce((at, key) => at?.[key], page);

const operations = (): [string, Json][] =>
  Object.entries(page.paths as Json).flatMap(([path, methods]) =>
    Object.entries(methods as Json).map(([method, operation]): [string, Json] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

test('every reference leads to something', () => {
  const refs = [...objectsIn(page)].flatMap(([path, { $ref }]) => (typeof $ref === 'string' ? [{ path, $ref }] : []));
  expect(refs.length).toBeGreaterThan(20);
  expect(refs.filter(({ $ref }) => !$ref.startsWith('#/') || resolve($ref) === undefined)).toEqual([]);
});

test('every schema has a name that people can read, and is used', () => {
  const names = Object.keys(page.components.schemas);
  expect(names.filter((name) => !/^[A-Z][A-Za-z]+$/.test(name))).toEqual([]);
  const text = JSON.stringify(page);
  // The full document is there for editors; a PUT takes one whose id may be left to the path.
  const unused = names.filter((name) => !text.includes(`"#/components/schemas/${name}"`) && name !== 'Task');
  expect(unused).toEqual([]);
  expect(text).not.toMatch(/\$defs|__schema|"override"/);
});

test('every route of the app is in it, and the other way round', () => {
  const app = createApi({ keeper: api.keeper, allowAnonymous: true });
  const routed = new Set(
    app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/, '{$1}')}`),
  );
  expect(
    operations()
      .map(([name]) => name)
      .sort(),
  ).toEqual([...routed].sort());
});

test('parameters, security, answers and ids of operations are complete', () => {
  const ids = operations().map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [name, { parameters, security, responses, summary }] of operations()) {
    const inPath = parameters
      .filter((parameter: Json) => parameter.in === 'path')
      .map((parameter: Json) => parameter.name);
    expect([name, inPath]).toEqual([name, [...name.matchAll(/\{(\w+)\}/g)].map(([, id]) => id)]);
    expect([name, security]).toEqual([name, name.includes('/v1/') ? [{ bearer: [] }] : []]);
    expect(Object.keys(responses).filter((status) => !/^[2-5]\d\d$/.test(status))).toEqual([]);
    expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
    expect(summary).toMatch(/^[A-Z]/);
  }
});

test('the task document is described with its bounds and defaults', () => {
  const { properties, required, additionalProperties } = page.components.schemas.Task;
  expect(required.toSorted()).toEqual(['code', 'id']);
  expect(additionalProperties).toBe(false);
  expect(properties.history).toMatchObject({ type: 'integer', maximum: TASK_LIMITS.historyMax, default: 20 });
  expect(properties.schedule.oneOf.map(({ required: [kind] }: Json) => kind)).toEqual(['cron', 'every', 'at', 'after']);
  expect(page.components.schemas.TaskBody.required.toSorted()).toEqual(['code']);
  const limit = page.paths['/v1/tasks'].get.parameters.find(({ name }: Json) => name === 'limit');
  expect(limit.schema).toEqual({ type: 'integer', minimum: 1, maximum: 1000, default: 100 });
});
