/**
 * Shards that become free: their locks are watched, so that a lingering tick takes over from a holder that has died as
 * soon as its session has ended. ZooKeeper's watches fire once, so each is set again when it has.
 */
import type { Clock } from './clock.ts';
import type { Session } from './coordinator.ts';
import type { Layout } from './layout.ts';

export interface Vacancy {
  readonly shard: number;
  /** How long it has been free without a break, as far as was looked. */
  readonly freeMs: number;
}

export class Vacancies {
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  /** Shards of which the next change would be heard. */
  readonly #watched = new Set<number>();
  /** Of them, those that are free, and since when by `clock.elapsed()`. */
  readonly #free = new Map<number, number>();

  /** `onChange`: the lock of one of the shards that were looked at has come or gone. */
  constructor(session: Session, layout: Layout, clock: Clock, onChange: () => void) {
    this.#session = session;
    this.#layout = layout;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Those of the shards that nobody holds now, the longest free first. Of all of them, the next change will be heard. */
  async look(shards: readonly number[]): Promise<Vacancy[]> {
    const fresh = shards.filter((shard) => !this.#watched.has(shard));
    for (const shard of fresh) this.#watched.add(shard);
    const locks = await Promise.all(
      fresh.map((shard) => this.#session.get(this.#layout.lock(shard), () => this.#changed(shard))),
    );
    const nowMs = this.#clock.elapsed();
    // One that changed while it was looked at is looked at again.
    for (const [i, shard] of fresh.entries())
      if (locks[i] === undefined && this.#watched.has(shard)) this.#free.set(shard, nowMs);
    return shards
      .flatMap((shard) => {
        const sinceMs = this.#free.get(shard);
        return sinceMs === undefined ? [] : { shard, freeMs: nowMs - sinceMs };
      })
      .sort((a, b) => b.freeMs - a.freeMs);
  }

  #changed(shard: number): void {
    this.#watched.delete(shard);
    this.#free.delete(shard);
    this.#onChange();
  }
}
