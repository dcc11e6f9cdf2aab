/** Errors as RFC 9457 problem documents: what a caller may know, and nothing of the machine that answers. Pure. */

import type { CronkeeperError, ErrorCode, Problem } from '../errors.ts';
import { STATUS_CODES } from './statuses.ts';

/** Codes of errors, and of requests that never reach a task. */
export type ProblemCode = ErrorCode | 'unknown-route' | 'method-not-allowed';

export interface ProblemDocument {
  readonly type: 'about:blank';
  /** The phrase of the status. */
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly Problem[];
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** After so many seconds a coordinator that did not answer is asked again; about a new session's time. */
const RETRY_AFTER_SECONDS = 5;

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 422,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'quota-exceeded': 409,
  unauthenticated: 401,
  forbidden: 403,
  fenced: 409,
  unavailable: 503,
  'session-lost': 503,
  'outcome-unknown': 504,
  corrupt: 500,
  internal: 500,
};

/** In place of messages that may name hosts, files or causes: those are for the log. */
const DISCREET: Partial<Record<ErrorCode, string>> = {
  forbidden: 'not allowed',
  unavailable: 'the coordinator does not answer; nothing was changed',
  'session-lost': 'the connection to the coordinator was lost; try again',
  'outcome-unknown': 'the coordinator did not answer in time; the change may or may not have been made: read it back',
  corrupt: 'what is stored cannot be read',
  internal: 'something went wrong here; it was logged',
};

/** An error of this layer: its message was written for the caller, and its status may differ from its code's own. */
export class HttpProblem extends Error {
  override readonly name: string = 'HttpProblem';
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];

  constructor(
    status: number,
    code: ProblemCode,
    detail: string,
    { headers = {}, problems = [] }: { headers?: Readonly<Record<string, string>>; problems?: readonly Problem[] } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.problems = problems;
  }
}

/** @param conditional the request had a precondition: a conflict means that it does not hold. */
export function problemOf(error: CronkeeperError, conditional: boolean): HttpProblem {
  const { code, problems } = error;
  const status = code === 'conflict' && conditional ? 412 : STATUS[code];
  const headers = status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {};
  return new HttpProblem(status, code, DISCREET[code] ?? error.message, { headers, problems });
}

export function problemDocument({ status, code, message, problems }: HttpProblem): ProblemDocument {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail: message,
    ...(problems.length > 0 && { errors: problems }),
  };
}

export const problemResponse = (problem: HttpProblem): Response =>
  new Response(JSON.stringify(problemDocument(problem)), {
    status: problem.status,
    headers: { 'content-type': PROBLEM_CONTENT_TYPE, ...problem.headers },
  });
