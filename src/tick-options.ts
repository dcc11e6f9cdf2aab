/** What a tick works with, and what may be asked of it. */
import type { Aws } from './aws.ts';
import type { Clock, Random } from './clock.ts';
import type { Coordinator } from './coordinator.ts';
import type { Courier } from './courier.ts';
import { CronkeeperError, received } from './errors.ts';
import type { Capability, Evaluator } from './evaluator.ts';
import type { Outbound } from './outbound.ts';
import type { RunRecord } from './record.ts';
import { isShards, SHARDS_ALLOWED } from './shard.ts';
import type { CodeCache } from './store.ts';

/** The longest that a tick may linger: just below the longest that a Lambda function may run. */
export const LINGER_MS_MAX = 14 * 60_000;

export interface TickDeps {
  readonly coordinator: Coordinator;
  readonly namespace: string;
  /** Shards of the namespace, should it have to be made. */
  readonly shards: number;
  readonly evaluator: Evaluator;
  readonly capabilities: Readonly<Record<string, Capability>>;
  /** Makes the requests of tasks. Absent: none are allowed. */
  readonly outbound?: Outbound;
  /** Absent: there are no credentials. */
  readonly aws?: Aws;
  /** Tells destinations of launches. */
  readonly courier: Courier;
  readonly code: CodeCache;
  readonly clock: Clock;
  readonly random: Random;
  /** Names this invocation: nobody else's, ever. */
  readonly holder: () => string;
}

export interface TickOptions {
  /** How long to stay and run tasks on exact timers. Default 0: run what is due and leave. At most 14 minutes. */
  readonly lingerMs?: number;
  /** How long the tick may take in all. It stops starting runs that might not end in time. Default: no bound. */
  readonly budgetMs?: number;
  /**
   * Take at most so many shards at a time: for several ticks at once. Shards that nobody else takes are not left alone:
   * see `share.ts`. Default: every shard that nobody holds.
   */
  readonly shardsMax?: number;
  /** Take these shards and no others, ever. Default: all of the namespace. */
  readonly shards?: readonly number[];
  /** Take the shards of these tasks and no others: for what has just been asked of them. Default: all. */
  readonly tasks?: readonly string[];
  /** Told once, of shards with due work that nobody holds, when a tick with `shardsMax` is busy for a second. */
  readonly onWaiting?: (shards: readonly number[]) => void;
  /** Wait for shards to become free even if others hold all of them now. Default: only who has a shard stays. */
  readonly standby?: boolean;
  /** Told when that is so. */
  readonly onStandby?: () => void;
  /** Names this tick, and no other, ever: it stands in the locks of its shards. Default: a name that nobody else has. */
  readonly holder?: string;
  /** Stops the tick early: no new runs, those under way are recorded if they end within two seconds. */
  readonly signal?: AbortSignal;
  /** Told of every run as it is recorded. */
  readonly onRun?: (taskId: string, run: RunRecord) => void;
}

/** @throws CronkeeperError `invalid`, naming the option. */
export function assertTickOptions({ lingerMs, budgetMs, shardsMax, shards }: TickOptions): void {
  const refuse = (field: string, value: unknown, allowed: string): never => {
    throw new CronkeeperError('invalid', `tick: ${field}: received ${received(value)}; allowed: ${allowed}`);
  };
  for (const [field, value] of Object.entries({ lingerMs, budgetMs })) {
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
    refuse(field, value, 'a number of milliseconds, 0 or more');
  }
  if (shardsMax !== undefined && !(Number.isInteger(shardsMax) && shardsMax >= 1)) {
    refuse('shardsMax', shardsMax, 'a whole number, 1 or more');
  }
  if (shards !== undefined && !isShards(shards)) refuse('shards', shards, SHARDS_ALLOWED);
}
