/** The HTTP API: one app on web standards, served by Lambda and locally alike. */
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import { type AccessOptions, type Caller, createGuard } from './api/access.ts';
import { BODY_BYTES_MAX } from './api/body.ts';
import { isConditional } from './api/conditions.ts';
import { eventRoutes } from './api/event-routes.ts';
import { openRoutes } from './api/open-routes.ts';
import { HttpProblem, problemOf, problemResponse } from './api/problem.ts';
import type { Keeper, Route } from './api/route.ts';
import { taskRoutes } from './api/routes.ts';
import { type Clock, systemClock } from './clock.ts';
import { CronkeeperError, isCronkeeperError, messageOf } from './errors.ts';
import { type Log, silent } from './log.ts';

export interface ApiOptions extends AccessOptions {
  /** A Cronkeeper, or the part of one that the API speaks for. */
  readonly keeper: Keeper;
  /** May do everything. */
  readonly apiToken?: string | undefined;
  /** May read. */
  readonly readToken?: string | undefined;
  /** Whoever reaches it may do everything, as long as there is no token: for a server on loopback. Default false. */
  readonly allowAnonymous?: boolean;
  /** Who sends a request, from what the server hands over beside it; never from its headers. Default: nobody knows. */
  readonly caller?: (environment: unknown) => Caller | undefined;
  readonly clock?: Clock;
  /** Told of what went wrong on our side. Default: nobody. */
  readonly log?: Log;
}

/** With the principal of each request, which the guard finds. */
export type Api = Hono<{ Variables: { principal: string } }>;

/** @throws CronkeeperError `invalid` without a token, unless anonymous callers are allowed. */
export function createApi(options: ApiOptions): Api {
  const { keeper, caller = () => undefined, clock = systemClock, log = silent } = options;
  const guard = createGuard(options);
  const routes: readonly Route[] = [...taskRoutes, ...eventRoutes, ...openRoutes(() => routes)];

  const app: Api = new Hono();
  app.use(headers, noStore);
  app.use(
    methodNotAllowed({ app, onMethodNotAllowed: (context, allowed) => wrongMethod(context.req.method, allowed) }),
  );
  const limited = bodyLimit({ maxSize: BODY_BYTES_MAX, onError: tooLarge });
  for (const route of routes) {
    app.on(
      route.method,
      route.path.replace('{id}', ':id'),
      async (context, next) => {
        context.set('principal', guard(route.access, context.req.raw, caller(context.env)));
        await next();
      },
      limited,
      ({ req, var: { principal } }) => {
        const means = { keeper, tasks: keeper.as(principal), clock };
        return route.answer(means, req.raw, req.param('id') ?? '');
      },
    );
  }
  app.notFound(({ req }) => problemResponse(new HttpProblem(404, 'unknown-route', `there is no ${req.path} here`)));
  app.onError((error, { req }) => {
    const problem = problemFor(error, isConditional(req.raw.headers));
    if (problem.status >= 500) {
      const code = isCronkeeperError(error) ? error.code : 'internal';
      log('error', 'request failed', {
        method: req.method,
        path: req.path,
        status: problem.status,
        code,
        error: messageOf(error),
      });
    }
    return problemResponse(problem);
  });
  return app;
}

const headers = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: 'DENY',
  // The console brings its own policy.
  overwrite: false,
});

const noStore: MiddlewareHandler = async (context, next) => {
  await next();
  context.header('cache-control', 'no-store');
};

function problemFor(error: Error, conditional: boolean): HttpProblem {
  if (error instanceof HttpProblem) return error;
  return problemOf(isCronkeeperError(error) ? error : new CronkeeperError('internal', error.message), conditional);
}

const wrongMethod = (method: string, allowed: readonly string[]): Response => {
  const allow = allowed.join(', ');
  const detail = `received ${method}; allowed here: ${allow}`;
  return problemResponse(new HttpProblem(405, 'method-not-allowed', detail, { headers: { allow } }));
};

const tooLarge = (): Response =>
  problemResponse(new HttpProblem(413, 'too-large', `the body is too large; allowed: at most ${BODY_BYTES_MAX} bytes`));
