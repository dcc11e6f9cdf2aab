/**
 * From due entries to settled outcomes: reads the records, plans, writes the journal, hands batches to the evaluator,
 * and passes what came out to the committer. Of one task there is never more than one launch on its way.
 */
import { afterMicrotasks, type EpochMs } from './clock.ts';
import type { DispatcherOptions } from './dispatch-options.ts';
import type { TimedEntry } from './due.ts';
import { CronkeeperError, messageOf } from './errors.ts';
import type { Program, Run, Started } from './evaluator.ts';
import type { Item } from './item.ts';
import { journalled } from './journal.ts';
import type { Outcome } from './launch.ts';
import { isSuspect, type Launch, type Plan, plan } from './plan.ts';
import { missingCode, neverStarts } from './problems.ts';
import { decidedAt } from './settle.ts';
import { doneOf, isToRunAgain, runOf, type Start } from './start.ts';
import { type Found, isLoaded, type Loaded } from './store.ts';
import { SUSPECT_WAIT_MS, Suspects } from './suspects.ts';
import { counts, WarmRecords } from './warm.ts';

/** Launches of one batch: read, journalled and handed over together. */
const BATCH_MAX = 128;

/** Launches on their way at a time, from being read until they are recorded. */
const IN_FLIGHT_MAX = 5 * BATCH_MAX;

/** Launches that are journalled ahead in one write. */
const PREPARED_MAX = 512;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #warm: WarmRecords;
  /** The entry that is on its way, per task, and those that wait for it. */
  readonly #busy = new Map<string, TimedEntry[]>();
  readonly #queue: TimedEntry[] = [];
  /** Launches that the journal holds ahead of their start, per task. */
  readonly #prepared = new Map<string, { readonly timer: number; readonly slotMs: EpochMs }>();
  readonly #suspects: Suspects;
  #inFlight = 0;
  #pumpsSoon = false;
  #waiters: (() => void)[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#warm = new WarmRecords(options.session, options.layout);
    this.#suspects = new Suspects(options.clock, () => this.#pump());
  }

  /** Takes due entries on; those of a task that is on its way already wait for it. */
  submit(entries: readonly TimedEntry[]): void {
    for (const entry of entries) {
      const waiting = this.#busy.get(entry.taskId);
      if (waiting === undefined) {
        this.#busy.set(entry.taskId, []);
        this.#queue.push(entry);
      } else if (!waiting.some(({ timer }) => timer === entry.timer)) waiting.push(entry);
    }
    this.#pumpSoon();
  }

  /** Resolves when few entries wait for a place: whoever brings more should wait for that. */
  async room(): Promise<void> {
    while (this.#queue.length >= IN_FLIGHT_MAX) await this.#change();
  }

  /** Until nothing is on its way. */
  async idle(): Promise<void> {
    while (!this.isQuiet || this.#suspects.waiting > 0) await this.#change();
  }

  /** Until nothing is on its way, or `enough` aborts. Suspects that wait do not count: now it is their turn. */
  async quiet(enough: AbortSignal): Promise<void> {
    const wake = () => this.#wake();
    enough.addEventListener('abort', wake);
    while (!this.isQuiet && !enough.aborted) await this.#change();
    enough.removeEventListener('abort', wake);
  }

  /** Launches on their way that may have begun, and are not recorded. */
  get unrecorded(): number {
    return this.#inFlight;
  }

  /** Whether nothing is due and nothing on its way; suspects do not count. */
  get isQuiet(): boolean {
    return this.#queue.length === 0 && this.#inFlight === 0;
  }

  /** An item is recorded or dropped: its task is free for what waits. */
  release(entry: TimedEntry, loaded?: Loaded): void {
    this.#inFlight--;
    this.#suspects.release(entry);
    if (loaded !== undefined) this.#keepWarm(entry.taskId, loaded);
    const waiting = this.#busy.get(entry.taskId) ?? [];
    this.#busy.delete(entry.taskId);
    if (waiting.length > 0) this.submit(waiting);
    this.#pumpSoon();
  }

  /** Records may have been edited: read them again. */
  cool(): void {
    this.#warm.clear();
  }

  /** Reads and journals ahead what timers will start soon, so that a start waits for no round trip. */
  async prepare(entries: readonly TimedEntry[]): Promise<void> {
    const fresh = entries.filter(
      ({ taskId, timer }) => !this.#busy.has(taskId) && this.#prepared.get(taskId)?.timer !== timer,
    );
    for (let i = 0; i < fresh.length; i += PREPARED_MAX) await this.#prepareSome(fresh.slice(i, i + PREPARED_MAX));
  }

  async #prepareSome(entries: readonly TimedEntry[]): Promise<void> {
    const found = await this.#warm.load(entries);
    const begun = entries.flatMap((entry, i) => {
      const loaded = found[i];
      const lease = this.#options.leases.get(entry.shard);
      if (lease === undefined || !isLoaded(loaded) || !counts(entry, loaded)) return [];
      this.#keepWarm(entry.taskId, loaded);
      if (isClaimed(loaded)) return [];
      const decided = this.#plan(loaded, Math.max(entry.dueMs, this.#options.now()));
      if (decided instanceof CronkeeperError || decided.do !== 'decide') return [];
      if (decided.launch === undefined || decided.closing !== undefined || isSuspect(decided.launch)) return [];
      this.#prepared.set(entry.taskId, { timer: entry.timer, slotMs: decided.launch.slotMs });
      return [journalled(lease, entry.taskId, decided.launch)];
    });
    const hashes = entries.flatMap((entry) => this.#warm.get(entry.taskId)?.record.task.code.hash ?? []);
    await Promise.all([
      this.#options.journal.begin(begun),
      this.#options.code.load(this.#options.session, this.#options.layout, hashes),
    ]);
  }

  /** Nothing starts any more; what was journalled ahead will not. */
  stop(): void {
    this.#suspects.stop();
    for (const [taskId, { slotMs }] of this.#prepared) this.#options.journal.withdraw(taskId, slotMs);
    this.#prepared.clear();
  }

  /**
   * Once for all that comes and is recorded at this moment: so batches are full, and with them the commits and pages
   * that they become.
   */
  #pumpSoon(): void {
    if (this.#pumpsSoon) return;
    this.#pumpsSoon = true;
    afterMicrotasks(() => {
      this.#pumpsSoon = false;
      this.#pump();
      this.#wake();
    });
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#inFlight < IN_FLIGHT_MAX && !this.#suspects.isAlone) {
      this.#begin(this.#queue.splice(0, BATCH_MAX));
    }
    const suspect = this.#suspects.take(this.#queue.length === 0 && this.#inFlight === this.#suspects.begun);
    if (suspect !== undefined) this.#begin([suspect]);
  }

  #begin(batch: readonly TimedEntry[]): void {
    this.#inFlight += batch.length;
    this.#launch(batch).catch((error: unknown) => this.#fail(error));
  }

  async #launch(entries: readonly TimedEntry[]): Promise<void> {
    const { session, layout, code, journal } = this.#options;
    const found = await this.#warm.load(entries);
    const starts = entries.flatMap((entry, i) => this.#decide(entry, found[i]) ?? []);
    if (starts.length === 0) return;
    const programs = await code.load(
      session,
      layout,
      starts.map(({ loaded }) => loaded.record.task.code.hash),
    );
    const runnable = starts.filter((start) => this.#hasCode(start, programs));
    await journal.begin(runnable.map(({ lease, entry, launch }) => journalled(lease, entry.taskId, launch)));
    await this.#run(
      runnable.filter((start) => this.#isHeld(start)),
      programs,
    );
  }

  async #run(starts: readonly Start[], programs: ReadonlyMap<string, Program>): Promise<void> {
    const { evaluator, signal } = this.#options;
    const nowMs = this.#options.now();
    const runs = starts.map((start) => {
      const program = programs.get(start.loaded.record.task.code.hash) as Program;
      return runOf(start, program, nowMs, this.#options);
    });
    const finished = (i: number, outcome: Outcome & Started) => {
      const start = starts[i] as Start;
      if (isToRunAgain(start, outcome)) this.#runAgain(start, programs);
      else this.#finished(start, runs[i] as Run, outcome);
    };
    await evaluator.run(runs, finished, signal);
  }

  /**
   * Another run took its worker with it, and nobody will ever hear of that attempt: it is the same attempt that starts
   * again, at once and with nothing recorded. Where it may not, it stays in the journal as begun.
   */
  #runAgain(start: Start, programs: ReadonlyMap<string, Program>): void {
    if (!this.#isHeld(start)) return;
    if (this.#options.mayStart(start.loaded.record.task.timeoutMs)) {
      this.#run([{ ...start, losses: start.losses + 1 }], programs).catch((error: unknown) => this.#fail(error));
    } else this.#defer(start.entry, true);
  }

  #finished(start: Start, run: Run, outcome: Outcome & Started): void {
    const { entry, lease, loaded, launch, losses } = start;
    if (outcome.error?.class === 'Cancelled') {
      // What never began was no attempt; what did begin stays in the journal, and the next start is the next attempt.
      if (outcome.hasStarted === false && losses === 0) this.#options.journal.withdraw(entry.taskId, launch.slotMs);
      this.#defer(entry, true);
      return;
    }
    const done = doneOf(start, run, outcome, this.#options);
    this.#commit({ entry, lease, loaded, done });
  }

  /** What is to be done with an entry: a launch to start, or nothing more here. */
  #decide(entry: TimedEntry, found: Found): Start | undefined {
    const lease = this.#options.leases.get(entry.shard);
    if (lease === undefined) return this.#defer(entry);
    if (found !== undefined && !isLoaded(found)) return this.#quarantine(entry, found);
    if (found === undefined || !counts(entry, found)) {
      this.#unprepare(entry);
      return this.#commit({ entry, lease, done: 'stale' });
    }
    const aheadMs = Math.max(0, entry.dueMs - this.#options.now());
    if (aheadMs > 0 && isClaimed(found)) return this.#setBack(entry, aheadMs);
    const nowMs = this.#options.now() + aheadMs;
    const planned = this.#plan(found, nowMs);
    if (planned instanceof CronkeeperError) return this.#quarantine(entry, planned);
    this.#unprepare(entry, planned.do === 'decide' ? planned.launch : undefined);
    if (planned.do === 'wait') return this.#defer(entry);
    if (planned.do === 'purge') return this.#commit({ entry, lease, loaded: found, done: 'purge' });
    const { skipped, launch, closing } = planned;
    if (launch !== undefined && closing === undefined) {
      const { id, timeoutMs } = found.record.task;
      if (!this.#options.mayStart(aheadMs + timeoutMs)) {
        this.#options.journal.withdraw(entry.taskId, launch.slotMs);
        const { timeoutMsMax } = this.#options;
        if (timeoutMs > timeoutMsMax) this.#options.onQuarantined(id, neverStarts(id, timeoutMs, timeoutMsMax));
        return this.#defer(entry, timeoutMs <= timeoutMsMax);
      }
      // Without the time for that, it is better begun beside others than never.
      const mayWait = this.#options.mayStart(aheadMs + timeoutMs + SUSPECT_WAIT_MS);
      if (isSuspect(launch) && mayWait && !this.#suspects.hasBegun(entry)) return this.#setAside(entry);
      return { entry, lease, loaded: found, skipped, launch, losses: 0 };
    }
    const decided = { ...(launch !== undefined && { launch }), ...(closing !== undefined && { closing }) };
    const when = decidedAt(found.record, lease.fence, nowMs);
    return this.#commit({ entry, lease, loaded: found, done: { skipped, ...decided, ...when } });
  }

  /** What was journalled ahead is going to start, or else need not be in the journal. */
  #unprepare({ taskId }: TimedEntry, launch?: Launch): void {
    const slotMs = this.#prepared.get(taskId)?.slotMs;
    this.#prepared.delete(taskId);
    if (slotMs !== undefined && slotMs !== launch?.slotMs) this.#options.journal.withdraw(taskId, slotMs);
  }

  /** A record may be sound and still not be understood here: another runtime knows other time zones. */
  #plan({ record }: Loaded, nowMs: EpochMs): Plan | CronkeeperError {
    const { id } = record.task;
    try {
      return plan(record, nowMs, this.#options.journal.inherited(id));
    } catch (error) {
      const message = `task ${id}: this program cannot plan it: ${messageOf(error)}`;
      return new CronkeeperError('corrupt', message, { cause: error });
    }
  }

  #fail(error: unknown): void {
    this.#options.onFailed(error);
    this.#wake();
  }

  #commit(item: Item): undefined {
    this.#options.committer.add(item);
  }

  /** Stays in the due index for the next tick. */
  #defer(entry: TimedEntry, isLoad = false): undefined {
    this.#options.onDeferred(entry, isLoad);
    this.release(entry);
  }

  /** It counts as on its way, and comes again when it is due. */
  #setBack(entry: TimedEntry, byMs: number): undefined {
    this.#options.clock.after(byMs, () => {
      this.#inFlight--;
      this.#queue.push(entry);
      this.#pumpSoon();
    });
  }

  /** Until its turn comes, its task is busy. */
  #setAside(entry: TimedEntry): undefined {
    this.#inFlight--;
    this.#suspects.add(entry);
    this.#pump();
    this.#wake();
  }

  #quarantine(entry: TimedEntry, problem: CronkeeperError): undefined {
    this.#options.onQuarantined(entry.taskId, problem);
    this.release(entry);
  }

  /** A lease may have been lost by now; its launches belong to the next holder. */
  #isHeld({ entry, lease }: Start): boolean {
    if (this.#options.leases.get(lease.shard) === lease) return true;
    this.#defer(entry);
    return false;
  }

  #hasCode(start: Start, programs: ReadonlyMap<string, Program>): boolean {
    const { id, code } = start.loaded.record.task;
    if (programs.has(code.hash)) return true;
    this.#quarantine(start.entry, missingCode(id, code.hash));
    return false;
  }

  #keepWarm(taskId: string, loaded: Loaded): void {
    if ((loaded.record.dueMs ?? Infinity) > this.#options.warmUntil()) this.#warm.drop(taskId);
    else this.#warm.keep(taskId, loaded);
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}

/** A claim of an at-most-once launch is final, so it is made just before the start, and not ahead of it. */
const isClaimed = ({ record }: Loaded): boolean => record.task.delivery === 'at-most-once';
