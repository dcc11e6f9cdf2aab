/** The HTTP API as a Lambda handler: behind an HTTP API, a REST API, a function URL or a load balancer. */
import { handle as forLambda } from 'hono/aws-lambda';
import { type AuthMode, createGuard } from '../api/access.ts';
import { HttpProblem, PROBLEM_CONTENT_TYPE, problemDocument, problemOf } from '../api/problem.ts';
import { createApi } from '../api.ts';
import type { Cronkeeper } from '../app.ts';
import { CronkeeperError, isCronkeeperError } from '../errors.ts';
import { callerOf } from '../trigger/caller.ts';
import { assertHttpEvent, isHttpEvent, straightened } from '../trigger/http.ts';
import { isObject } from '../trigger.ts';
import type { Handler } from './stack.ts';
import { type HandlerOptions, warm } from './warm.ts';

export interface ApiHandlerOptions
  extends HandlerOptions<Pick<Cronkeeper, 'as' | 'audit' | 'emit' | 'status' | 'release'>> {
  /** Default: CRONKEEPER_API_TOKEN. */
  readonly apiToken?: string;
  /** Default: CRONKEEPER_READ_TOKEN. */
  readonly readToken?: string;
  /** Who is in front, and authenticates. Default: CRONKEEPER_AUTH. */
  readonly auth?: AuthMode;
}

export interface ApiResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** In place of `headers`, where the request came with such. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
}

export type ApiHandler = Handler<ApiResult>;

/** @throws CronkeeperError `invalid` at once, when it is not said where the tasks are, or there is no token. */
export function createApiHandler({ apiToken, readToken, auth, ...options }: ApiHandlerOptions = {}): ApiHandler {
  const { keeper, config, stack } = warm(options);
  const access = {
    apiToken: apiToken ?? config.apiToken,
    readToken: readToken ?? config.readToken,
    auth: auth ?? config.auth,
  };
  // What hono hands over as the environment of a request.
  const caller = (environment: unknown) => callerOf(isObject(environment) ? environment.event : undefined, access.auth);
  // Without a token this fails now, and not at the first request.
  createGuard(access);
  const clock = options.clock === undefined ? {} : { clock: options.clock };
  let app: ReturnType<typeof forLambda> | undefined;

  return stack.around({ name: 'request', tooLate, answer }, async (event, context) => {
    assertHttpEvent(event);
    const opened = await keeper();
    app ??= forLambda(createApi({ ...access, ...clock, caller, keeper: opened, log: stack.log }));
    try {
      return await app(straightened(event), context);
    } finally {
      // A frozen function sends no heartbeats: what it leaves open would expire while others still count on it.
      await opened.release();
    }
  });
}

/** Where the app does not answer: what it would say on every answer. */
const HEADERS = {
  'content-type': PROBLEM_CONTENT_TYPE,
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=15552000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

function withProblem(problem: HttpProblem): ApiResult {
  const headers = { ...HEADERS, ...problem.headers };
  return {
    statusCode: problem.status,
    headers,
    // Of the two, a load balancer reads the one that it is set up for.
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    body: JSON.stringify(problemDocument(problem)),
    isBase64Encoded: false,
  };
}

/** Answered in place of the app. What the request has changed by now is not known. */
const tooLate = (): ApiResult =>
  withProblem(new HttpProblem(504, 'outcome-unknown', 'the answer took too long: read back'));

/** For a request that did not come as far as the app: nothing of it is the caller's fault. An event that is none gets no answer. */
function answer(error: unknown, event: unknown): ApiResult | undefined {
  if (!isHttpEvent(event)) return undefined;
  const problem = isCronkeeperError(error) ? problemOf(error, false) : undefined;
  const isOurs = problem !== undefined && problem.status >= 500;
  return withProblem(isOurs ? problem : problemOf(new CronkeeperError('internal', ''), false));
}
