/** The HTTP API: one app on web standards, served by Lambda and locally alike. */
import { Hono } from 'hono';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Status } from './status.ts';
import type { Tasks } from './tasks.ts';

export interface ApiOptions {
  /** A Cronkeeper, or the part of one that the API speaks for. */
  readonly keeper: { readonly tasks: Tasks; status(): Promise<Status> };
  /** May do everything. */
  readonly apiToken?: string | undefined;
  /** May read. */
  readonly readToken?: string | undefined;
  /** Whoever reaches it may do everything, as long as there is no token: for a server on loopback. Default false. */
  readonly allowAnonymous?: boolean;
  readonly clock?: Clock;
  /** Told of what went wrong on our side. Default: nobody. */
  readonly log?: Log;
}

/** @throws CronkeeperError `invalid` without a token, unless anonymous callers are allowed. */
export function createApi(_options: ApiOptions): Hono {
  return new Hono();
}
