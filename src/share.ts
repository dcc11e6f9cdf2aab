/**
 * Which shards a tick takes. Without a bound: every one that nobody holds. With one, several ticks share them: each
 * takes its share, and more only when nobody else does, so that no shard is left alone however few ticks there are:
 *
 * - a tick that does not linger goes on with another share when it is through with the first one, while it has time;
 * - a tick that lingers takes what has been free for {@link FREE_MS}: its holder has died, or nobody came.
 */
import { loadedShards } from './backlog.ts';
import type { Clock, EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { CronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';
import { acquireFree, type Lease } from './lease.ts';
import { visitingOrder } from './shard.ts';
import { Vacancies } from './vacancies.ts';

/**
 * Time for the others to come, or to come back: between two ticks of one process, its shards are free for some
 * milliseconds; one that is called for help is there within a second or two.
 */
export const FREE_MS = 2_000;

export interface ShareOptions {
  readonly session: Session;
  readonly layout: Layout;
  readonly clock: Clock;
  /** By chance, 0 … 1: ticks that start together begin at different shards. */
  readonly random: number;
  readonly holder: () => string;
  /** Default: all of them. */
  readonly shardsMax?: number;
  /** Only these. Default: all. */
  readonly shards?: readonly number[];
}

export interface Taken {
  readonly leases: readonly Lease[];
  /** When to look again, though nothing changes. */
  readonly againInMs?: number;
}

export class Share {
  readonly #options: ShareOptions;
  /** In the order in which they are tried. */
  readonly #all: readonly number[];
  readonly #max: number;
  /** Shards that this tick has, or had: none of them is taken again. */
  readonly #known = new Set<number>();
  /** Shards that others have been called for: they come last. */
  readonly #lent = new Set<number>();
  #vacancies: Vacancies | undefined;

  /** @throws CronkeeperError `invalid` for a shard that the namespace does not have. */
  constructor(options: ShareOptions) {
    const { layout, random, shards, shardsMax = Infinity } = options;
    const unknown = shards?.find((shard) => shard >= layout.shards);
    if (unknown !== undefined) {
      const allowed = `0 to ${layout.shards - 1}, the shards of ${layout.root}`;
      throw new CronkeeperError('invalid', `shards: received ${unknown}; allowed: ${allowed}`);
    }
    this.#options = options;
    const order = visitingOrder(layout.shards, random);
    this.#all = shards === undefined ? order : order.filter((shard) => shards.includes(shard));
    this.#max = shardsMax;
  }

  /** Whether shards may be free that it does not take at once. */
  get isLimited(): boolean {
    return this.#max < this.#all.length;
  }

  /** How many it takes at the beginning, unless others hold them. */
  get wanted(): number {
    return Math.min(this.#max, this.#all.length);
  }

  get #others(): readonly number[] {
    return this.#all.filter((shard) => !this.#known.has(shard));
  }

  /** At the beginning. */
  async first(): Promise<Lease[]> {
    return this.#take(this.isLimited ? await this.#free() : this.#all);
  }

  /** When it is through with what it has: a share of those that nobody holds and in which something was due. */
  async next(nowMs: EpochMs): Promise<Lease[]> {
    const loaded = await this.waiting(nowMs);
    return this.#take(loaded.toSorted((a, b) => Number(this.#lent.has(a)) - Number(this.#lent.has(b))));
  }

  /** Shards that nobody holds, and in which something is due. */
  async waiting(nowMs: EpochMs): Promise<number[]> {
    const { session, layout } = this.#options;
    return loadedShards(session, layout, await this.#free(), nowMs);
  }

  /** Others have been called for these. */
  lend(shards: readonly number[]): void {
    for (const shard of shards) this.#lent.add(shard);
  }

  /** While it lingers, with so many shards in hand. `onChange`: look again. */
  async vacant(held: number, onChange: () => void): Promise<Taken> {
    const { session, layout, clock } = this.#options;
    this.#vacancies ??= new Vacancies(session, layout, clock, onChange);
    const vacancies = await this.#vacancies.look(this.#others);
    const [now, later] = [[] as number[], [] as number[]];
    for (const { shard, freeMs } of vacancies) {
      if (held + now.length < this.#max || freeMs >= FREE_MS) now.push(shard);
      else later.push(FREE_MS - freeMs);
    }
    const leases = await this.#acquire(now);
    return { leases, ...(later.length > 0 && { againInMs: Math.min(...later) }) };
  }

  /** As many as its share; where somebody else is quicker, the next ones. */
  async #take(shards: readonly number[]): Promise<Lease[]> {
    const left = [...shards];
    const leases: Lease[] = [];
    while (left.length > 0 && leases.length < this.#max) {
      leases.push(...(await this.#acquire(left.splice(0, this.#max - leases.length))));
    }
    return leases;
  }

  async #acquire(shards: readonly number[]): Promise<Lease[]> {
    if (shards.length === 0) return [];
    const { session, layout, holder } = this.#options;
    const leases = await acquireFree(session, layout, shards, holder());
    for (const { shard } of leases) this.#known.add(shard);
    return leases;
  }

  /** Those that nobody holds, in one read: a refused try costs the servers as much as a write. */
  async #free(): Promise<number[]> {
    const { session, layout } = this.#options;
    const others = this.#others;
    const locks = await session.getMany(others.map((shard) => layout.lock(shard)));
    return others.filter((_, i) => locks[i] === undefined);
  }
}
