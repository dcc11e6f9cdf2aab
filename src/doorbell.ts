/**
 * The doorbells of shards: rung in the transaction that makes something fall due soon, and heard by a tick that
 * lingers. ZooKeeper's watches fire once, so each is set again when it has.
 */
import type { Session } from './coordinator.ts';
import type { Layout } from './layout.ts';

export class Doorbells {
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #onRing: () => void;
  /** Shards whose doorbell would be heard now. */
  readonly #watched = new Set<number>();

  constructor(session: Session, layout: Layout, onRing: () => void) {
    this.#session = session;
    this.#layout = layout;
    this.#onRing = onRing;
  }

  /** Hears the next ring of each. There is never more than one watch per shard: a session has room for few. */
  async listen(shards: Iterable<number>): Promise<void> {
    await Promise.all(
      [...shards]
        .filter((shard) => !this.#watched.has(shard))
        .map((shard) => {
          this.#watched.add(shard);
          return this.#session.get(this.#layout.doorbell(shard), () => this.#rung(shard));
        }),
    );
  }

  #rung(shard: number): void {
    this.#watched.delete(shard);
    this.#onRing();
  }
}
