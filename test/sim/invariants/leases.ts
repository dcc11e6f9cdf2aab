/**
 * I4: what is written under a lease is written while it is the latest. I10: a lock has a holder that lives, and there is one.
 */
import type { Observer, Transaction } from '../observer.ts';
import type { Violations } from '../violations.ts';
import { chainsOf } from './told.ts';

export interface Taken {
  readonly sessionId: string;
  readonly shard: number;
  readonly fence: number;
}

export class Leases {
  /** By session. */
  readonly taken = new Map<string, Taken[]>();
  readonly #holders = new Map<number, Taken>();
  readonly #observer: Observer;
  readonly #violations: Violations;

  constructor(observer: Observer, violations: Violations) {
    this.#observer = observer;
    this.#violations = violations;
  }

  onTransaction({ session, checks, nodes, records }: Transaction): void {
    const { layout } = this.#observer;
    // A chain asks another task for a launch, as users do: under no lease of that task's shard.
    const own = records.filter((change) => chainsOf(change).length === 0 || change.added.length > 0);
    const shards = new Set(own.map(({ taskId }) => layout.shardOf(taskId)));
    for (const { path, after } of nodes) {
      const [, number, part, name] =
        /\/shards\/(\d+)\/(lock|epoch|journal|outbox|undelivered)(?:\/(.+))?$/.exec(path) ?? [];
      if (number === undefined) continue;
      const shard = Number(number);
      if (part === 'epoch' && after !== undefined) this.#take({ sessionId: session.id, shard, fence: after.version });
      if (part === 'lock' && after !== undefined) {
        const isOwned = after.owner === session.id;
        this.#violations.hold(isOwned, 'I10', () => `the lock of shard ${shard} would outlive its holder`);
      }
      if (part === 'journal' || part === 'lock') shards.add(shard);
      if ((part === 'outbox' || part === 'undelivered') && name !== undefined) shards.add(shard);
      if (part === 'journal' && after !== undefined) {
        const fence = Number.parseInt(name?.split('-')[0] ?? '', 36);
        this.#holdFence(shard, fence, `${session.process.name} wrote to its journal`);
      }
    }
    if (session.process.name.startsWith('user')) return;
    for (const shard of shards) {
      const isHolder = this.#holders.get(shard)?.sessionId === session.id;
      const who = session.process.name;
      this.#violations.hold(isHolder, 'I4', () => `${who} wrote to shard ${shard}, which another one has taken since`);
    }
    // The lock alone says that somebody has the lease, and the session that whoever writes is alive: it takes the epoch.
    for (const shard of shards) {
      const isTaking = nodes.some(({ path, after }) => path === layout.lock(shard) && after !== undefined);
      const isGuarded =
        checks.has(layout.lock(shard)) && checks.get(layout.epoch(shard)) === this.#observer.fenceOf(shard);
      const who = session.process.name;
      this.#violations.hold(isTaking || isGuarded, 'I4', () => `${who} wrote to shard ${shard} without its fence`);
    }
    for (const { taskId, added } of records) {
      const shard = layout.shardOf(taskId);
      for (const run of added) this.#holdFence(shard, run.fence, `${taskId}@${run.slotMs} was recorded`);
    }
  }

  /** At the end: whoever still holds a lock lives. */
  holdAtRest(): void {
    const { layout, tree, livingSessions } = this.#observer;
    for (let shard = 0; shard < layout.shards; shard++) {
      const lock = tree.get(layout.lock(shard));
      if (lock === undefined) continue;
      const isHeld = lock.owner !== undefined && livingSessions.has(lock.owner);
      this.#violations.hold(isHeld, 'I10', () => `shard ${shard} is locked by nobody`);
      this.#violations.add('I7', `shard ${shard} is still locked when all is at rest`);
    }
  }

  #take(taken: Taken): void {
    this.taken.set(taken.sessionId, [...(this.taken.get(taken.sessionId) ?? []), taken]);
    this.#holders.set(taken.shard, taken);
  }

  #holdFence(shard: number, fence: number, what: string): void {
    const current = this.#observer.fenceOf(shard);
    this.#violations.hold(
      fence === current,
      'I4',
      () => `${what} under fence ${fence}, when ${current} was the latest`,
    );
  }
}
