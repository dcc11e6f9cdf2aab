/** Every failure that Cronkeeper itself raises, and what a caller may do about it. */

/** The closed list of codes. They are stable: the HTTP API, the CLI and the logs show them. */
export type ErrorCode =
  /** A document, flag, URL, token or event is wrong. */
  | 'invalid'
  /** The task does not exist. */
  | 'not-found'
  /** Somebody else changed it first (compare-and-swap failed). */
  | 'conflict'
  /** A bound was exceeded: too large, too many. */
  | 'too-large'
  /** The namespace has as many tasks as it may have. */
  | 'quota-exceeded'
  /** No credentials. */
  | 'unauthenticated'
  /** Credentials that do not allow this. */
  | 'forbidden'
  /** The lease was lost to a newer holder: nothing was written, and nothing may be written any more. */
  | 'fenced'
  /** The coordinator cannot be reached, or refused to serve, within the deadline. Nothing was applied. */
  | 'unavailable'
  /** The link broke, or the deadline passed, after a request was sent: it may or may not have been applied. */
  | 'outcome-unknown'
  /** The session has ended; its ephemerals are gone. A new session is needed. */
  | 'session-lost'
  /** What is stored cannot be understood: corrupt, or written by a newer version. */
  | 'corrupt'
  /** A bug, or an answer that the protocol does not allow. */
  | 'internal';

/** One field of a document that is wrong: where, what was received, what is allowed. */
export interface Problem {
  /** Path of the field, such as `retry.attempts`; empty for the document itself. */
  readonly field: string;
  readonly message: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  readonly problems?: readonly Problem[];
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unavailable', 'session-lost', 'conflict']);

export class CronkeeperError extends Error {
  override readonly name: string = 'CronkeeperError';
  readonly code: ErrorCode;
  /** For `invalid`: every wrong field, not only the first. */
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, { cause, problems = [] }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.problems = problems;
  }

  /** Whether the same call may succeed later, unchanged. `outcome-unknown` is not: read back first. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}

export const isCronkeeperError = (error: unknown, ...codes: readonly ErrorCode[]): error is CronkeeperError =>
  error instanceof CronkeeperError && (codes.length === 0 || codes.includes(error.code));

/** What was received, short and printable, for a message. */
export function received(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = asJson(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Undefined for what has no JSON form: big integers, what contains itself (YAML's aliases can). */
function asJson(value: unknown): string | undefined {
  // JSON would call NaN and the infinities null.
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return typeof value === 'bigint' ? `${value}n` : 'a value that is nested too deeply, or contains itself';
  }
}

/** The message of anything that can be thrown. Never throws: a capability may throw what a task has sent it. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error that cannot be described';
  }
}
