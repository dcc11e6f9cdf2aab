/** Handlers for AWS Lambda: middy around one call each. What they open stays warm between invocations. */
import type { Context } from 'aws-lambda';
import type { CronkeeperOptions } from './app.ts';
import type { Log } from './log.ts';
import type { TickReport } from './report.ts';

/** What is left out comes from the environment, see `config.ts`. */
export interface HandlerOptions extends Partial<CronkeeperOptions> {
  /** Default: JSON lines on stdout. */
  readonly log?: Log;
}

export interface TickHandlerOptions extends HandlerOptions {
  /** Default for events that say nothing of it. */
  readonly lingerMs?: number;
}

export type TickHandler = (event: unknown, context: Context) => Promise<TickReport>;

/** @throws CronkeeperError `invalid` at once, when neither options nor environment say where the tasks are. */
export declare function createTickHandler(options?: TickHandlerOptions): TickHandler;
