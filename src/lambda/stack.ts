/**
 * What is around every handler, in one place: log, metrics and traces by Powertools, the early end, and the one place where
 * what went wrong is said.
 */
import middy, { type MiddlewareObj, type MiddyHandlerObject } from '@middy/core';
import type { Context } from 'aws-lambda';
import { type Clock, systemClock } from '../clock.ts';
import { type Config, isTraced } from '../config.ts';
import { CronkeeperError, isCronkeeperError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { correlationOf } from '../trigger.ts';
import { createLines, type Lines } from './lines.ts';
import { TickMetrics } from './metrics.ts';

/**
 * Lambda freezes or ends a function at its time-out, in the middle of whatever it does. So much earlier the handler
 * gives up by itself, with an error that says so.
 */
export const EARLY_MS = 500;

export type Handler<Result> = (event: unknown, context: Context) => Promise<Result>;

export type Handle<Result> = (event: unknown, context: Context, options: MiddyHandlerObject) => Promise<Result>;

export interface AroundOptions<Result> {
  /** What the function is for, in messages. */
  readonly name: string;
  /** Answered where the time is over. Default: an error, so that Lambda sees one. */
  readonly tooLate?: () => Result;
  /** Answered in place of an error; undefined: Lambda sees the error, and does what it is set up to do. */
  readonly answer?: (error: unknown, event: unknown) => Result | undefined;
}

export interface StackOptions {
  /** In place of Powertools' lines; then there are no metrics either. */
  readonly log?: Log;
  /** Receives lines of the log, and metrics. Default: stdout, where Lambda reads them. */
  readonly write?: (line: string) => void;
  readonly clock?: Pick<Clock, 'now'>;
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export class Stack {
  readonly log: Log;
  readonly metrics: TickMetrics | undefined;
  readonly #lines: Lines | undefined;
  readonly #isTraced: () => boolean;
  #tracing: MiddlewareObj<unknown, unknown> | undefined;

  constructor(config: Pick<Config, 'namespace' | 'taskMetrics'>, options: StackOptions) {
    const { log, write = (line) => process.stdout.write(line), clock = systemClock, environment } = options;
    this.#lines = log === undefined ? createLines(write, clock) : undefined;
    this.log = log ?? (this.#lines as Lines).log;
    const { namespace, taskMetrics: perTask } = config;
    this.metrics = log === undefined ? new TickMetrics({ write, namespace, perTask }) : undefined;
    this.#isTraced = () => isTraced(environment);
  }

  /** Connecting is a part of what is handled: middy ends early what it waits for here, and nothing that comes before. */
  around<Result>({ name, tooLate, answer }: AroundOptions<Result>, handle: Handle<Result>): Handler<Result> {
    const giveUp = (): never => {
      throw new CronkeeperError('unavailable', `the ${name} did not end ${EARLY_MS} ms before the function's time-out`);
    };
    const stack = middy(handle, { timeoutEarlyInMillis: EARLY_MS, timeoutEarlyResponse: tooLate ?? giveUp });
    if (this.#lines !== undefined) stack.use(this.#lines.middleware);
    return stack
      .use(this.#tracingWhereAsked())
      .use({ after: () => this.metrics?.publish(), onError: () => this.metrics?.publish() })
      .before(({ event }) => {
        const correlation = correlationOf(event);
        if (correlation !== undefined) this.#lines?.correlate(correlation);
      })
      .onError((request) => {
        const { error, event } = request;
        const code = isCronkeeperError(error) ? error.code : 'internal';
        this.log('error', `${name} failed`, { code, error: messageOf(error) });
        // Set, not returned: so the others hear of the error too.
        const answered = answer?.(error, event);
        if (answered !== undefined) request.response = answered;
      });
  }

  /** Tracing is for those who look on: that it fails must not end an invocation. */
  #tracingWhereAsked(): MiddlewareObj<unknown, unknown> {
    const traced = new WeakSet<object>();
    return {
      before: async (request) => {
        if (!this.#isTraced()) return;
        try {
          this.#tracing ??= (await import('./tracing.ts')).createTracing();
          await this.#tracing.before?.(request);
          traced.add(request);
        } catch (error) {
          this.log('warn', 'not traced', { error: messageOf(error) });
        }
      },
      after: async (request) => {
        if (traced.has(request)) await this.#tracing?.after?.(request);
      },
      onError: async (request) => {
        if (traced.has(request)) await this.#tracing?.onError?.(request);
      },
    };
  }
}
