/** Routes that ask for no credentials, and tell nothing about tasks: health, the API's description, the console. */
import * as z from 'zod';
import { json } from './answer.ts';
import { readConsole } from './console.ts';
import { openApiPage } from './openapi.ts';
import { type Keeper, type Means, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';

/** Nobody's question costs the coordinator more than one answer in so long. */
const HEALTH_AGE_MAX_MS = 1_000;

/** @param all gives every route, these included, for the page that describes them. */
export function openRoutes(all: () => readonly Route[]): readonly Route[] {
  return [healthRoute(), openApiRoute(all), consoleRoute()];
}

function healthRoute(): Route {
  let latest: { readonly keeper: Keeper; readonly askedMs: number; readonly answer: Promise<unknown> } | undefined;
  const check = ({ keeper, clock }: Means): Promise<unknown> => {
    const nowMs = clock.elapsed();
    if (latest === undefined || latest.keeper !== keeper || nowMs - latest.askedMs > HEALTH_AGE_MAX_MS) {
      latest = { keeper, askedMs: nowMs, answer: keeper.status() };
    }
    return latest.answer;
  };
  return route(
    {
      method: 'GET',
      path: '/healthz',
      operationId: 'getHealth',
      summary: 'Whether the coordinator answers',
      access: 'open',
      query: schemas.noQuery,
      answers: { 200: { description: 'It does.', schema: schemas.health } },
      problems: [503],
    },
    async (call) => {
      await check(call);
      return json({ status: 'ok' });
    },
  );
}

const openApiRoute = (all: () => readonly Route[]): Route => {
  let page: object | undefined;
  return route(
    {
      method: 'GET',
      path: '/openapi.json',
      operationId: 'getOpenApi',
      summary: 'This page',
      access: 'open',
      query: schemas.noQuery,
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({}) } },
    },
    async () => {
      page ??= openApiPage(all());
      return json(page);
    },
  );
};

const consoleRoute = (): Route =>
  route(
    {
      method: 'GET',
      path: '/',
      operationId: 'getConsole',
      summary: 'The console: a page for people',
      access: 'open',
      query: schemas.noQuery,
      answers: { 200: { description: 'HTML.', contentType: 'text/html', schema: z.string() } },
    },
    async () => {
      const { html, contentSecurityPolicy } = readConsole();
      const headers = {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': contentSecurityPolicy,
      };
      return new Response(html, { headers });
    },
  );
