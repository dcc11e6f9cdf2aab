/**
 * Tells of launches that have come to their end: works off the outboxes of the shards that this tick holds, beside the
 * launches and never before them. What is told is taken out of the outbox afterwards, so whoever dies in between is
 * followed by somebody who tells it again, with the same key: at least once.
 */
import { type Chaining, chain, chainProblem } from './chain.ts';
import type { Cancel, Clock, EpochMs } from './clock.ts';
import { isRefused, type Op, type Session } from './coordinator.ts';
import type { Courier } from './courier.ts';
import type { DueDirectories } from './due-directories.ts';
import { isCronkeeperError } from './errors.ts';
import type { Layout } from './layout.ts';
import { type Lease, lostLease } from './lease.ts';
import { decodeMail, type Mail, messageFor, type Pending, type Told } from './mail.ts';
import { type OutboxPage, readPages } from './outbox.ts';
import { isChain, type Job, Rounds } from './rounds.ts';
import { rewritten, type Sack, type SackWriting, sorted } from './sack.ts';

/** Pages of a shard's outbox. The oldest beyond them are given up: a list of names must stay below 1 MB. */
export const OUTBOX_PAGES_MAX = 1_000;

/** Pages of what was given up that are kept per shard; the oldest go first. */
export const UNDELIVERED_PAGES_MAX = 200;

/** What is worked on together: it is written again in one transaction, maybe beside the record of a task. */
const SACK_PAGES = 64;
const SACK_BYTES = 64 * 1024;

/** Shards that are worked on at a time. */
const SHARDS_AT_ONCE = 2;

/** When the tick is to end, letters are begun for so long still. */
const WANING_MS = 2_000;

/** After a transaction that somebody was faster than, ms. */
const AGAIN_MS = 1_000;

/** How often a chain is tried against faster changes of its task. */
const CHAIN_ATTEMPTS_MAX = 5;

export interface DeliveryOptions {
  readonly session: Session;
  readonly layout: Layout;
  readonly leases: ReadonlyMap<number, Lease>;
  readonly clock: Clock;
  /** The coordinator's time. */
  readonly now: () => EpochMs;
  readonly directories: DueDirectories;
  /** Makes names for new pages, unique in the namespace. */
  readonly maker: () => string;
  readonly courier: Courier;
  /** Whether the tick has time for one more letter. */
  readonly mayStart: () => boolean;
  /** Aborted when everything must end at once. */
  readonly signal: AbortSignal;
  readonly onTold: (delivered: number, undelivered: number) => void;
  readonly onFenced: (lease: Lease) => void;
  readonly onFailed: (error: unknown) => void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #rounds: Rounds;
  /** When each shard's outbox is to be looked at next. */
  readonly #next = new Map<number, EpochMs>();
  readonly #busy = new Set<number>();
  /** Pages that cannot be read here: left alone, as whoever wrote them may be newer. */
  readonly #unread = new Set<string>();
  #endsMs = Infinity;
  #timer: Cancel | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { layout, courier, clock, signal } = options;
    this.#rounds = new Rounds({
      namespace: layout.namespace,
      courier,
      clock,
      signal,
      mayStart: () => this.#mayStart(),
    });
  }

  /** There is something in the outboxes of these shards, or may be. */
  look(shards: Iterable<number>): void {
    for (const shard of shards) this.#lookAt(shard, this.#options.now());
    this.#pump();
  }

  /** The tick is about to end: letters are begun for two seconds more. */
  wane(): void {
    if (this.#endsMs === Infinity) this.#endsMs = this.#options.clock.elapsed() + WANING_MS;
    this.#pump();
  }

  /** Until nothing is under way and nothing is due, or `enough` aborts. */
  async quiet(enough?: AbortSignal): Promise<void> {
    const wake = () => this.#wake();
    enough?.addEventListener('abort', wake);
    while (enough?.aborted !== true && (this.#busy.size > 0 || this.#dueShards().length > 0)) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    enough?.removeEventListener('abort', wake);
  }

  /** The launches are over: what they left to tell has these two seconds, and what is under way comes to its end. */
  async finish(): Promise<void> {
    this.#endsMs = Infinity;
    this.wane();
    await this.quiet();
  }

  stop(): void {
    this.#endsMs = -Infinity;
    this.#timer?.();
    this.#next.clear();
    this.#wake();
  }

  #mayStart(): boolean {
    const { clock, signal, mayStart } = this.#options;
    return !signal.aborted && clock.elapsed() < this.#endsMs && mayStart();
  }

  #lookAt(shard: number, atMs: EpochMs): void {
    this.#next.set(shard, Math.min(this.#next.get(shard) ?? Infinity, atMs));
  }

  #dueShards(): number[] {
    const nowMs = this.#options.now();
    return this.#mayStart() ? [...this.#next].flatMap(([shard, atMs]) => (atMs <= nowMs ? [shard] : [])) : [];
  }

  #pump(): void {
    for (const shard of this.#dueShards()) {
      if (this.#busy.has(shard) || this.#busy.size >= SHARDS_AT_ONCE) continue;
      this.#next.delete(shard);
      const lease = this.#options.leases.get(shard);
      if (lease !== undefined) this.#begin(lease);
    }
    this.#timer?.();
    const nowMs = this.#options.now();
    const nextMs = Math.min(...[...this.#next.values()].filter((atMs) => atMs > nowMs));
    // What is due already begins when something else has ended, or not in this tick.
    if (nextMs !== Infinity) this.#timer = this.#options.clock.after(nextMs - nowMs, () => this.#pump());
  }

  #begin(lease: Lease): void {
    this.#busy.add(lease.shard);
    this.#workOff(lease)
      .catch((error: unknown) => this.#options.onFailed(error))
      .finally(() => {
        this.#busy.delete(lease.shard);
        this.#pump();
        this.#wake();
      });
  }

  async #workOff(lease: Lease): Promise<void> {
    const { session, layout, now } = this.#options;
    const directory = layout.outbox(lease.shard);
    const names = await session.children(directory);
    const pages = readPages(directory, names).filter(({ path }) => !this.#unread.has(path));
    const oldest = pages.sort((a, b) => a.sinceMs - b.sinceMs);
    const spare = oldest.slice(0, Math.max(0, pages.length - OUTBOX_PAGES_MAX));
    const kept = oldest.slice(spare.length).sort((a, b) => a.dueMs - b.dueMs);
    const due = kept.filter(({ dueMs }) => dueMs <= now());
    let nextMs = kept[due.length]?.dueMs ?? Infinity;
    const work = async (some: readonly OutboxPage[], deliver: (sack: Sack) => Promise<EpochMs>) => {
      for (let i = 0; i < some.length && this.#mayStart(); i += SACK_PAGES) {
        for (const sack of await this.#read(lease, some.slice(i, i + SACK_PAGES))) {
          nextMs = Math.min(nextMs, await deliver(sack));
        }
      }
    };
    await work(spare, (sack) => this.#giveUp(sack));
    await work(due, (sack) => this.#deliver(sack));
    if (nextMs !== Infinity) this.#lookAt(lease.shard, nextMs);
  }

  async #read(lease: Lease, pages: readonly OutboxPage[]): Promise<Sack[]> {
    const nodes = await this.#options.session.getMany(pages.map(({ path }) => path));
    const sacks: { lease: Lease; pages: OutboxPage[]; mails: Mail[] }[] = [];
    let bytes = Infinity;
    for (const [i, page] of pages.entries()) {
      const { data } = nodes[i] ?? {};
      if (data === undefined) continue;
      const { mails, unread } = decodeMail(data);
      if (unread > 0) {
        this.#unread.add(page.path);
        continue;
      }
      const own = Buffer.byteLength(data);
      if (bytes + own > SACK_BYTES) {
        sacks.push({ lease, pages: [], mails: [] });
        bytes = 0;
      }
      sacks.at(-1)?.pages.push(page);
      sacks.at(-1)?.mails.push(...mails);
      bytes += own;
    }
    return sacks;
  }

  async #giveUp(sack: Sack): Promise<EpochMs> {
    const told: Told = { is: 'refused', problem: `more than ${OUTBOX_PAGES_MAX} pages of messages wait` };
    const all = sack.mails.flatMap(({ to }) => to.map((pending) => [pending, told] as const));
    const written = await this.#write(sack, new Map(all));
    return written === undefined ? this.#options.now() + AGAIN_MS : Infinity;
  }

  /** Tells what is due of it. Gives when the next of it is. */
  async #deliver(sack: Sack): Promise<EpochMs> {
    const nowMs = this.#options.now();
    const jobs = sack.mails.flatMap((mail) =>
      mail.to.flatMap((pending): Job[] => (pending.dueMs <= nowMs ? [{ mail, pending }] : [])),
    );
    const outcomes = await this.#rounds.send(jobs.filter(({ pending }) => !isChain(pending.destination)));
    let current: Sack | undefined = sack;
    for (const [target, own] of chainsIn(jobs)) {
      if (current !== undefined && this.#mayStart()) current = await this.#chain(current, target, own, outcomes);
    }
    if (current !== undefined && outcomes.size > 0) current = await this.#write(current, outcomes);
    if (current === undefined || current === sack) return this.#options.now() + AGAIN_MS;
    return Math.min(...current.pages.map(({ dueMs }) => dueMs));
  }

  /** Launches a task for these, in one transaction with what has come of others so far. */
  async #chain(sack: Sack, target: string, jobs: readonly Job[], outcomes: Map<Pending, Told>) {
    const all = jobs.map((job) => ({
      ...job,
      message: messageFor(this.#options.layout.namespace, job.mail, job.pending.condition),
    }));
    for (const { pending, message } of all) {
      const problem = chainProblem(message);
      if (problem !== undefined) outcomes.set(pending, problem);
    }
    const open = all.filter(({ pending }) => !outcomes.has(pending));
    let answer: Chaining | Told = FASTER;
    for (let attempt = 1; open.length > 0 && attempt <= CHAIN_ATTEMPTS_MAX; attempt++) {
      answer = await chain(
        this.#options,
        target,
        open.map(({ message }) => message),
      );
      if ('is' in answer) break;
      const { count, ops } = answer;
      const told = open.map(({ pending }, i) => [pending, i < count ? DELIVERED : NO_ROOM] as const);
      try {
        const written = await this.#write(sack, new Map([...outcomes, ...told]), ops);
        outcomes.clear();
        return written;
      } catch (error) {
        if (!isRefused(error)) throw error;
        this.#options.directories.forget();
      }
    }
    const told: Told = 'is' in answer ? answer : FASTER;
    for (const { pending } of open) outcomes.set(pending, told);
    return sack;
  }

  /** The sack that is there then; undefined where it is not known, or no longer ours. @throws CoordinatorError if `more` was refused. */
  async #write(sack: Sack, outcomes: ReadonlyMap<Pending, Told>, more?: readonly Op[]): Promise<Sack | undefined> {
    const { session, layout, now, maker, onTold, onFenced } = this.#options;
    const nowMs = now();
    const to = sorted(sack.mails, outcomes, nowMs);
    const room = to.over.length > 0 ? await this.#roomFor(sack.lease) : [];
    const writing: SackWriting = rewritten(layout, sack, to, nowMs, maker);
    try {
      await session.multi([...writing.ops, ...room, ...(more ?? [])]);
      onTold(writing.delivered, writing.undelivered);
      return writing.sack;
    } catch (error) {
      const lost = lostLease([sack.lease], error);
      if (lost !== undefined) onFenced(lost);
      else if (more !== undefined && isRefused(error)) throw error;
      else if (!isRefused(error) && !isCronkeeperError(error, 'outcome-unknown')) throw error;
      return undefined;
    }
  }

  /** Makes room for what is given up. */
  async #roomFor({ shard }: Lease): Promise<Op[]> {
    const { session, layout, directories } = this.#options;
    const directory = layout.undelivered(shard);
    await directories.have([directory]);
    const pages = readPages(directory, await session.children(directory)).sort((a, b) => a.sinceMs - b.sinceMs);
    const tooMany = Math.max(0, pages.length + 1 - UNDELIVERED_PAGES_MAX);
    return pages.slice(0, tooMany).map(({ path }): Op => ({ op: 'remove', path }));
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

const DELIVERED: Told = { is: 'delivered' };
const NO_ROOM: Told = { is: 'later', problem: 'too many launches of it wait', mostMs: AGAIN_MS };
const FASTER: Told = { is: 'later', problem: 'it is being changed', mostMs: AGAIN_MS };

const chainsIn = (jobs: readonly Job[]): Map<string, Job[]> =>
  Map.groupBy(
    jobs.filter(({ pending }) => isChain(pending.destination)),
    ({ pending: { destination } }) => (isChain(destination) ? destination.task : ''),
  );
