/**
 * The time between taking the leases and giving them back: due entries go to the dispatcher, later ones to the timers,
 * what comes out to the committer; and an end is made in time.
 */
import type { Clock, EpochMs, Random } from './clock.ts';
import { type Committed, Committer } from './commit.ts';
import type { Coordinator, Session } from './coordinator.ts';
import { Dispatcher } from './dispatch.ts';
import { Doorbells } from './doorbell.ts';
import { DueDirectories, GONE, type Page, scanDue, type TimedEntry } from './due.ts';
import { CLOSING_MS, Ending } from './ending.ts';
import { messageOf } from './errors.ts';
import type { Capability, Evaluator } from './evaluator.ts';
import type { Item } from './item.ts';
import { Journal } from './journal.ts';
import { dueMinute, type Layout } from './layout.ts';
import { type Lease, release } from './lease.ts';
import type { Outbound } from './outbound.ts';
import type { RunRecord } from './record.ts';
import type { Tally } from './report.ts';
import { type CodeCache, isLoaded, loadRecords } from './store.ts';
import { Timers } from './timers.ts';
import { Wakes } from './wakes.ts';

/** How far ahead of now due pages are read while lingering. */
const SCAN_AHEAD_MS = 60_000;

/** The journal runs so far ahead of the timers, and is looked after so often. */
const PREPARE_AHEAD_MS = 500;
const PREPARE_EVERY_MS = 250;

/** Several rings of the doorbell within so many milliseconds are one. */
const DOORBELL_MS = 10;

/** The longest that a tick may linger: just below the longest that a Lambda function may run. */
export const LINGER_MS_MAX = 14 * 60_000;

/** A run that takes longer than this after the linger is over makes the tick go on, by so much at a time. */
const IDLE_SOON_MS = 100;
const EXTENSION_MS = 1_000;

/** Directories of past minutes that one tick removes. */
const SWEEP_MAX = 2_000;

export interface TickDeps {
  readonly coordinator: Coordinator;
  readonly namespace: string;
  /** Shards of the namespace, should it have to be made. */
  readonly shards: number;
  readonly evaluator: Evaluator;
  readonly capabilities: Readonly<Record<string, Capability>>;
  /** Makes the requests of tasks. Absent: none are allowed. */
  readonly outbound?: Outbound;
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
  /** Stops the tick early: no new runs, those under way are recorded if they end within two seconds. */
  readonly signal?: AbortSignal;
  /** Told of every run as it is recorded. */
  readonly onRun?: (taskId: string, run: RunRecord) => void;
}

/** The time between taking the leases and giving them back. */
export class Shift {
  readonly #deps: TickDeps;
  readonly #options: TickOptions;
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #leases: Map<number, Lease>;
  readonly #tally: Tally;
  /** What is due later is left to the next tick. */
  #untilMs: EpochMs;
  readonly #lingers: boolean;
  readonly #pages = new Map<string, Page>();
  readonly #visited = new Set<string>();
  readonly #directories: DueDirectories;
  readonly #journal: Journal;
  readonly #committer: Committer;
  readonly #dispatcher: Dispatcher;
  readonly #timers: Timers<TimedEntry>;
  readonly #doorbells: Doorbells;
  #onRing: () => void = () => undefined;
  readonly #ending: Ending;
  #pagesMade = 0;

  constructor(
    deps: TickDeps,
    options: TickOptions,
    session: Session,
    layout: Layout,
    leases: readonly Lease[],
    tally: Tally,
    startedMs: number,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#session = session;
    this.#layout = layout;
    this.#tally = tally;
    this.#leases = new Map(leases.map((lease) => [lease.shard, lease]));
    const budgetMs = options.budgetMs ?? Infinity;
    this.#ending = new Ending(deps.clock, session, startedMs + budgetMs, options.signal);
    this.#untilMs = this.#now() + Math.min(options.lingerMs ?? 0, LINGER_MS_MAX, Math.max(0, budgetMs - CLOSING_MS));
    this.#lingers = this.#untilMs > this.#now();
    this.#directories = new DueDirectories(session);
    this.#journal = new Journal(session, layout, (lease) => this.#onFenced(lease));
    this.#timers = new Timers(
      deps.clock,
      () => this.#now(),
      (due) => this.#dispatcher.submit(due),
    );
    this.#doorbells = new Doorbells(session, layout, () => {
      this.#dispatcher.cool();
      this.#onRing();
    });
    this.#committer = this.#createCommitter(leases[0] as Lease);
    this.#dispatcher = this.#createDispatcher();
  }

  /** The coordinator's time: clocks of machines differ, and all must agree on what is due. */
  #now(): EpochMs {
    return this.#deps.clock.now() - this.#tally.clockSkewMs;
  }

  async work(): Promise<void> {
    try {
      await this.#journal.takeOver([...this.#leases.values()], (ids) => this.#recordsOf(ids));
      await this.#scan();
      if (this.#now() < this.#untilMs) await this.#lingerAndOn();
      await this.#ending.unlessFailed(this.#dispatcher.idle());
      await this.#ending.unlessFailed(this.#committer.flush());
      if (!this.#ending.isClosing) await this.#sweep();
    } finally {
      this.#ending.over();
      this.#timers.stop();
      this.#dispatcher.dropPrepared();
      await this.#giveBack();
    }
    if (this.#ending.failure !== undefined) throw this.#ending.failure;
  }

  /**
   * Lingers, and goes on for as long as a run outlasts the time: the leases are held until it ends, so nobody else
   * could run what falls due meanwhile.
   */
  async #lingerAndOn(): Promise<void> {
    const lastMs = this.#now() + LINGER_MS_MAX;
    await this.#linger();
    while (!(await this.#isIdleSoon()) && this.#untilMs < lastMs && this.#ending.leaves(EXTENSION_MS)) {
      this.#extend();
      await this.#linger();
    }
  }

  async #isIdleSoon(): Promise<boolean> {
    const waited = new AbortController();
    const cancel = this.#deps.clock.after(IDLE_SOON_MS, () => waited.abort());
    try {
      await this.#ending.unlessFailed(this.#dispatcher.idle(waited.signal));
    } finally {
      cancel();
    }
    return !waited.signal.aborted;
  }

  #extend(): void {
    const fromMs = this.#untilMs;
    this.#untilMs = this.#now() + EXTENSION_MS;
    for (const { left } of this.#pages.values()) this.#accept([...left.values()].filter(({ dueMs }) => dueMs > fromMs));
  }

  /** Brings what is due to the dispatcher, and what will be due soon to the timers. */
  async #scan(): Promise<void> {
    const nowMs = this.#now();
    const scan = scanDue(
      this.#session,
      this.#layout,
      [...this.#leases.keys()],
      Math.min(this.#untilMs, nowMs + SCAN_AHEAD_MS),
      this.#pages,
    );
    for await (const page of scan.pages) {
      if (this.#ending.isClosing) break;
      this.#visited.add(page.directory);
      if (page.left.size === 0) {
        await this.#directories.drop(page);
        continue;
      }
      this.#pages.set(page.path, page);
      this.#accept([...page.left.values()]);
      await this.#ending.unlessFailed(this.#dispatcher.room());
    }
    for (const directory of scan.visited) this.#visited.add(directory);
  }

  /** Whether this tick could come by a page that it made itself. */
  #mayScan({ left }: Page): boolean {
    const [first] = left.values();
    return first !== undefined && first.dueMs <= this.#untilMs + (this.#lingers ? LINGER_MS_MAX : 0);
  }

  #accept(entries: readonly TimedEntry[]): void {
    if (this.#ending.isClosing) return;
    const nowMs = this.#now();
    this.#dispatcher.submit(entries.filter(({ dueMs }) => dueMs <= nowMs && dueMs <= this.#untilMs));
    for (const entry of entries) if (entry.dueMs > nowMs && entry.dueMs <= this.#untilMs) this.#timers.add(entry);
  }

  /** Stays until the time is over; sees tasks that are added, moved or edited meanwhile. */
  async #linger(): Promise<void> {
    const { clock } = this.#deps;
    const wakes = new Wakes<'prepare' | 'scan' | 'doorbell' | 'over'>(clock);
    this.#onRing = () => wakes.wakeIn(DOORBELL_MS, 'doorbell');
    const over = () => wakes.wakeNow('over');
    this.#ending.closing.addEventListener('abort', over);
    try {
      await this.#doorbells.listen(this.#leases.keys());
      await this.#scan(); // for what came after the first look, when nobody was listening yet
      await this.#prepare();
      wakes.wakeIn(PREPARE_EVERY_MS, 'prepare');
      wakes.wakeIn(SCAN_AHEAD_MS / 2, 'scan');
      wakes.wakeIn(this.#untilMs - this.#now(), 'over');
      for (let why = await wakes.next(); why !== 'over' && !this.#ending.isClosing; why = await wakes.next()) {
        if (why === 'prepare') {
          await this.#prepare();
          wakes.wakeIn(PREPARE_EVERY_MS, 'prepare');
        } else {
          if (why === 'doorbell') {
            await this.#doorbells.listen(this.#leases.keys());
            this.#dispatcher.cool(); // again, for records that were read before the ring and came after it
          } else wakes.wakeIn(SCAN_AHEAD_MS / 2, 'scan');
          await this.#scan();
          await this.#prepare();
        }
      }
    } finally {
      this.#ending.closing.removeEventListener('abort', over);
      wakes.stop();
      this.#onRing = () => undefined; // the next linger looks for itself
    }
  }

  async #prepare(): Promise<void> {
    const soon = [...this.#timers.until(this.#now() + PREPARE_AHEAD_MS)];
    if (soon.length > 0) await this.#dispatcher.prepare(soon);
  }

  #onCommitted(committed: readonly Committed[], next: readonly TimedEntry[]): void {
    for (const { item, settled, loaded } of committed) {
      if (settled !== undefined && typeof item.done !== 'string') {
        this.#tally.count(item.done, settled);
        if (item.done.launch !== undefined) this.#journal.done(item.entry.taskId, item.done.launch.slotMs);
        for (const run of settled.added) this.#options.onRun?.(item.entry.taskId, run);
      }
      this.#dispatcher.release(item.entry, loaded);
      if (item.entry.page.version === GONE) this.#pages.delete(item.entry.page.path);
    }
    this.#accept(next);
  }

  #onFenced(lease: Lease, dropped: readonly Item[] = []): void {
    if (this.#leases.delete(lease.shard)) this.#tally.fenced++;
    this.#tally.deferred += dropped.length;
    for (const { entry } of dropped) this.#dispatcher.release(entry);
  }

  /** Empty directories of past minutes go; one that somebody uses again meanwhile is refused, and stays. */
  async #sweep(): Promise<void> {
    const { day, minute } = dueMinute(this.#now() - 60_000);
    const inUse = new Set(
      [...this.#pages.values()].filter(({ version }) => version !== GONE).map((page) => page.directory),
    );
    const past = [...this.#visited].filter(
      (directory) => directory.split('/').slice(-2).join('/') <= `${day}/${minute}`,
    );
    const empty = past.filter((directory) => !inUse.has(directory)).slice(0, SWEEP_MAX);
    if (empty.length > 0) await this.#directories.sweep(empty);
  }

  async #giveBack(): Promise<void> {
    if (this.#session.signal.aborted) return;
    const leases = [...this.#leases.values()];
    await Promise.allSettled(
      leases.map((lease) => release(this.#session, this.#layout, lease, this.#journal.closing(lease))),
    );
  }

  async #recordsOf(ids: readonly string[]) {
    const found = await loadRecords(this.#session, this.#layout, ids);
    return found.map((loaded) => (isLoaded(loaded) ? loaded.record : loaded));
  }

  #createCommitter({ fence, shard }: Lease): Committer {
    return new Committer({
      session: this.#session,
      layout: this.#layout,
      clock: this.#deps.clock,
      directories: this.#directories,
      // The fence of one of its shards names this holder, and no other one before or after it.
      maker: () => `${shard.toString(36)}.${fence.toString(36)}.${(this.#pagesMade++).toString(36)}`,
      onPages: (pages) => {
        for (const page of pages) if (this.#mayScan(page)) this.#pages.set(page.path, page);
      },
      onCommitted: (committed, next) => this.#onCommitted(committed, next),
      onFenced: (lease, dropped) => this.#onFenced(lease, dropped),
      onFailed: (error) => this.#ending.fail(error),
    });
  }

  #createDispatcher(): Dispatcher {
    const { evaluator, code, capabilities, outbound } = this.#deps;
    return new Dispatcher({
      session: this.#session,
      layout: this.#layout,
      leases: this.#leases,
      journal: this.#journal,
      committer: this.#committer,
      evaluator,
      code,
      capabilities,
      ...(outbound !== undefined && { outbound }),
      now: () => this.#now(),
      skewMs: this.#tally.clockSkewMs,
      mayStart: (timeoutMs) => this.#ending.leaves(timeoutMs),
      timeoutMsMax: (this.#options.budgetMs ?? Infinity) - CLOSING_MS,
      warmUntil: () => (this.#lingers ? this.#untilMs + EXTENSION_MS : -Infinity),
      signal: this.#ending.ending,
      onDeferred: (count) => {
        this.#tally.deferred += count;
      },
      onQuarantined: (taskId, problem) => this.#tally.quarantine(taskId, messageOf(problem)),
      onFailed: (error) => this.#ending.fail(error),
    });
  }
}
