/** How many tasks a namespace may have. Far from the limit nobody counts; close to it, everybody waits for their turn. */
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { CronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';
import { bucketNames } from './shard.ts';

/** The largest quota that can be set. */
export const TASKS_MAX = 10_000_000;

/** A count is trusted for so long, while this part of the quota is not used up: others put tasks, too. */
const COUNT_AGE_MAX_MS = 5_000;
const FAR_PART = 0.9;

/**
 * Kept beyond a session. One program never exceeds the quota; several that put many new tasks within the same seconds
 * may, by what the others put meanwhile. A removed task counts until its tombstone goes.
 */
export class TaskQuota {
  readonly #max: number | undefined;
  #count = 0;
  #countedMs = -Infinity;
  /** Writes under way. */
  readonly #open = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param max undefined: as many as one likes. */
  constructor(max: number | undefined) {
    this.#max = max;
  }

  /** Makes the write, if so many more tasks may be. @throws CronkeeperError `quota-exceeded`: it was not made. */
  async within(session: Session, layout: Layout, nowMs: EpochMs, added: number, write: () => Promise<unknown>) {
    const max = this.#max;
    if (max === undefined || added === 0) return void (await write());
    if (this.#isFar(max, nowMs, added)) return this.#counting(added, write);
    const turn = this.#turn.then(async () => {
      await Promise.allSettled(this.#open);
      if (!this.#isFar(max, nowMs, added)) {
        this.#count = await countTasks(session, layout);
        this.#countedMs = nowMs;
      }
      if (this.#count + added > max) throw exceeded(max, this.#count, added);
      await this.#counting(added, write);
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #isFar(max: number, nowMs: EpochMs, added: number): boolean {
    return Math.abs(nowMs - this.#countedMs) <= COUNT_AGE_MAX_MS && this.#count + added <= max * FAR_PART;
  }

  async #counting(added: number, write: () => Promise<unknown>): Promise<void> {
    this.#count += added;
    const writing = write();
    this.#open.add(writing);
    try {
      await writing;
    } finally {
      this.#open.delete(writing);
    }
  }
}

/** Tasks and tombstones: the names of all buckets, read at once. */
async function countTasks(session: Session, layout: Layout): Promise<number> {
  const names = await Promise.all(bucketNames.map((bucket) => session.children(layout.taskBucket(bucket))));
  return names.reduce((count, ids) => count + (ids?.length ?? 0), 0);
}

function exceeded(max: number, count: number, added: number): CronkeeperError {
  const message = `tasks: received ${added} more than the ${count} that are there; allowed: ${max} in this namespace`;
  const hint = 'removed ones count for a week, as long as their runs can be read';
  return new CronkeeperError('quota-exceeded', `${message} (${hint})`);
}
