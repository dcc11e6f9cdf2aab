/**
 * Shards that become free: their locks are watched, so that a lingering tick takes over from a holder that has died as
 * soon as its session has ended. ZooKeeper's watches fire once, so each is set again when it has.
 */
import type { Session } from './coordinator.ts';
import type { Layout } from './layout.ts';

export class Vacancies {
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #onChange: () => void;
  /** Shards of which the next change would be heard. */
  readonly #watched = new Set<number>();

  /** `onChange`: the lock of one of the shards that were looked at has come or gone. */
  constructor(session: Session, layout: Layout, onChange: () => void) {
    this.#session = session;
    this.#layout = layout;
    this.#onChange = onChange;
  }

  /** Those of the shards that nobody holds now. Of the others, the next change will be heard. */
  async look(shards: readonly number[]): Promise<number[]> {
    const fresh = shards.filter((shard) => !this.#watched.has(shard));
    for (const shard of fresh) this.#watched.add(shard);
    const locks = await Promise.all(
      fresh.map((shard) => this.#session.get(this.#layout.lock(shard), () => this.#changed(shard))),
    );
    return fresh.filter((_, i) => locks[i] === undefined);
  }

  #changed(shard: number): void {
    this.#watched.delete(shard);
    this.#onChange();
  }
}
