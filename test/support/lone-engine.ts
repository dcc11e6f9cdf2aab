/**
 * The engine's pure functions, driven by hand for one task: what the dispatcher, the committer and the registry would
 * call, without a coordinator. It models nothing; it carries records from one function to the next, keeps what the
 * commits would have written beside them, and holds what must be so after every step.
 */
import { expect } from '@jest/globals';
import { askBackfill } from '../../src/backfill.ts';
import { amend, ask, pause, register, remove, resume } from '../../src/edit.ts';
import type { HistoryChange } from '../../src/history.ts';
import { formatInstant } from '../../src/instant.ts';
import { isUnfinished } from '../../src/journal.ts';
import type { Outcome } from '../../src/launch.ts';
import { type Launch, leftBehind, type Plan, plan } from '../../src/plan.ts';
import { dueOf, isRemoved, type RunRecord, slotAfter, type TaskRecord } from '../../src/record.ts';
import { decodeRecord, encodeRecord } from '../../src/record-text.ts';
import { redrive, redrivenBefore } from '../../src/redrive.ts';
import { Tally } from '../../src/report.ts';
import { nextSlot } from '../../src/schedule.ts';
import { type DeadLetter, type Done, isRecorded, type Settled, settle } from '../../src/settle.ts';
import type { Task } from '../../src/task.ts';
import { holdNeedsEach, holdProven } from './proof.ts';
import { isTerminal } from './task-records.ts';

/** What a run does. */
export interface Act {
  readonly outcome: Outcome;
  readonly lasts: number;
  /** Done to the task while it runs. */
  readonly meanwhile?: (engine: LoneEngine) => void;
}

/** Steps within which everything that is due must be done. */
const DRAIN_STEPS_MAX = 2_000;

/** Records after which the proof is made again; it is after every edit, and at the end. */
const PROVEN_EVERY = 5;

export class LoneEngine {
  record: TaskRecord;
  nowMs: number;
  fence = 1;
  /** Everything ever recorded, oldest first. */
  readonly ledger: RunRecord[] = [];
  readonly chunks = new Map<number, readonly RunRecord[]>();
  readonly tally = new Tally();
  /** Launches begun and not recorded when their holder died: slot to attempts. */
  readonly #begun = new Map<number, { readonly attempt: number; readonly isManual: boolean }>();
  /** Slots that have a terminal record. */
  readonly #slots = new Set<number>();
  /** The last attempt that was started at a slot. */
  readonly #started = new Map<number, number>();
  /** Launches, asked for or to be tried again, that must have an end one day. */
  readonly #open = new Set<number>();
  readonly #dead = new Map<number, DeadLetter>();
  /** Backfill launches that were started, by name: the slot that each was for. */
  readonly #madeUp = new Map<number, number>();
  #purged = false;

  constructor(task: Task, nowMs: number) {
    this.nowMs = nowMs;
    this.record = register(task, nowMs);
    this.#check();
  }

  get isPurged(): boolean {
    return this.#purged;
  }

  pass(byMs: number): void {
    this.nowMs += byMs;
  }

  edit(change: (record: TaskRecord, nowMs: number) => TaskRecord, behindMs = 0): void {
    if (this.#purged) return;
    const before = this.record;
    const after = change(before, this.nowMs - behindMs);
    if (after === before) return;
    // A due entry is made only under a new number: what the task waits for must not change under an old one.
    if (after.timer === before.timer) expect(after.dueMs).toBe(before.dueMs);
    else expect(after.timer).toBe(before.timer + 1);
    if (isRemoved(after)) this.#open.clear();
    for (const { slotMs } of after.manual) this.#open.add(slotMs);
    if (after.backfill?.next !== undefined) this.#open.add(after.backfill.next.slotMs);
    this.#store(after);
    this.#check();
    holdProven(this.record, this.kept(), this.nowMs);
  }

  put(task: Task, behindMs = 0): void {
    this.edit((record, nowMs) => amend(record, task, nowMs), behindMs);
  }

  pause(behindMs = 0): void {
    if (!isRemoved(this.record)) this.edit(pause, behindMs);
  }

  resume(behindMs = 0): void {
    if (!isRemoved(this.record)) this.edit(resume, behindMs);
  }

  remove(behindMs = 0): void {
    if (!isRemoved(this.record)) this.edit(remove, behindMs);
  }

  ask(key?: string, behindMs = 0): void {
    if (isRemoved(this.record) || this.record.manual.length >= 20) return;
    this.edit((record, nowMs) => ask(record, nowMs, key === undefined ? {} : { key }).record, behindMs);
  }

  /** Launches the oldest dead letter again, twice: the second time changes nothing. */
  redrive(): void {
    const [slotMs] = this.record.deadSlots;
    if (slotMs === undefined || isRemoved(this.record) || this.record.manual.length >= 20) return;
    const letter = this.#dead.get(slotMs) as DeadLetter;
    this.edit((record, nowMs) => redrive(record, nowMs, letter).record);
    expect(this.#dead.delete(slotMs)).toBe(true);
    expect(redrivenBefore(this.record, slotMs)).toBe(this.record.manual.at(-1)?.slotMs);
  }

  backfill(key: string, fromMs: number): void {
    const { backfill } = this.record;
    if (isRemoved(this.record) || (backfill?.next !== undefined && backfill.key !== key)) return;
    this.edit((record, nowMs) => askBackfill(record, nowMs, { key, fromMs, untilMs: nowMs }).record);
  }

  /** One decision and what follows from it; false when nothing is due. */
  step(act: Act): boolean {
    const decision = this.#plan();
    if (decision.do === 'wait') return false;
    if (decision.do === 'purge') {
      this.#purged = true;
      return true;
    }
    const { launch, closing, skipped } = decision;
    const decidedOn = this.record;
    const base = {
      fence: this.fence,
      createdMs: this.record.createdMs,
      revision: this.record.revision,
      skipped,
      startedMs: this.nowMs,
    };
    if (launch === undefined) this.#commit({ ...base, finishedMs: this.nowMs }, decidedOn);
    else if (closing !== undefined) this.#commit({ ...base, launch, closing, finishedMs: this.nowMs }, decidedOn);
    else {
      this.#start(launch);
      this.nowMs += act.lasts;
      act.meanwhile?.(this);
      this.#commit({ ...base, launch, outcome: act.outcome, finishedMs: this.nowMs }, decidedOn);
    }
    return true;
  }

  /** Begins what is due, as the journal knows, and dies before it is recorded. */
  crash(afterMs: number): void {
    const decision = this.#plan();
    if (decision.do === 'decide' && decision.launch !== undefined && decision.closing === undefined) {
      const { slotMs, attempt, manual } = decision.launch;
      this.#begun.set(slotMs, { attempt, isManual: manual !== undefined });
      this.#start(decision.launch);
    }
    this.nowMs += afterMs;
    this.fence++;
  }

  /** Attempts are counted, whoever makes them; at-most-once has one. */
  #start({ slotMs, attempt, sinceMs, manual }: Launch): void {
    const last = this.#started.get(slotMs) ?? 0;
    expect(attempt).toBeGreaterThan(last);
    // An attempt to be repeated may be older than the wish that there be only one.
    if (this.record.task.delivery === 'at-most-once' && sinceMs === undefined) expect(last).toBe(0);
    this.#started.set(slotMs, attempt);
    // What a launch makes up for is the same, whoever begins it, and however often.
    const forSlotMs = manual?.forSlotMs ?? slotMs;
    expect(this.#madeUp.get(slotMs) ?? forSlotMs).toBe(forSlotMs);
    this.#madeUp.set(slotMs, forSlotMs);
  }

  /** Steps until nothing is due. */
  drain(act: Act): void {
    let steps = 0;
    while (!this.#purged && this.step(act)) expect(++steps).toBeLessThan(DRAIN_STEPS_MAX);
  }

  #plan(): Plan {
    // As at a takeover: what the record does not wait for any more is forgotten.
    const taskId = this.record.task.id;
    for (const [slotMs, begun] of this.#begun) {
      if (!isUnfinished(this.record, { taskId, slotMs, ...begun })) this.#begun.delete(slotMs);
    }
    if (this.#purged) return { do: 'wait' };
    const left = leftBehind(this.record, this.#begun);
    return left === undefined ? plan(this.record, this.nowMs, this.#begun) : { do: 'decide', skipped: [], ...left };
  }

  #commit(done: Done, decidedOn: TaskRecord): void {
    const before = this.record;
    const settled = settle(before, done);
    expect(isRecorded(settled.record, done)).toBe(true);
    expect(settled.record.timer).toBe(before.timer + 1);
    if (before.createdMs !== done.createdMs || isRemoved(before)) this.#holdUntouched(before, settled.record);
    if (done.launch !== undefined) this.#begun.delete(done.launch.slotMs);
    this.#recordOnce(settled, decidedOn);
    this.#holdNoneLost(settled, done, decidedOn, before === decidedOn);
    this.#write(settled.history);
    this.ledger.push(...settled.added);
    this.tally.count(done, settled);
    if (settled.dead !== undefined) this.#dead.set(settled.dead.slotMs, settled.dead);
    if (settled.evictedSlotMs !== undefined) expect(this.#dead.delete(settled.evictedSlotMs)).toBe(true);
    this.#holdBackfill(before, settled.record, done);
    this.#store(settled.record);
    this.#check();
    this.#holdHistory();
    if (this.ledger.length % PROVEN_EVERY === 0) holdProven(this.record, this.kept(), this.nowMs);
  }

  /** A (task, slot) has one terminal record, those within ranges included. */
  #recordOnce({ added, record }: Settled, decidedOn: TaskRecord): void {
    for (const run of added.filter(isTerminal)) {
      for (const slotMs of run.count === undefined
        ? [run.slotMs]
        : slotsFrom(run.slotMs, run.lastSlotMs as number, decidedOn)) {
        if (this.#slots.has(slotMs)) throw new Error(`slot ${formatInstant(slotMs)} is recorded twice`);
        if (run.status === 'skipped' && this.#begun.has(slotMs)) throw new Error('what was begun is called skipped');
        this.#slots.add(slotMs);
        this.#open.delete(slotMs);
      }
    }
    // The next launch of a backfill has its name from now on, and must have an end one day.
    if (record.backfill?.next !== undefined) this.#open.add(record.backfill.next.slotMs);
    for (const { slotMs, retryMs } of added) if (retryMs !== undefined) this.#open.add(slotMs);
  }

  /** What was decided is every slot from the cursor to the last one that was decided; the cursor goes to the next. */
  #holdNoneLost(
    { added, record }: Settled,
    { launch, outcome }: Done,
    decidedOn: TaskRecord,
    isUnedited: boolean,
  ): void {
    const { nextSlotMs: fromMs = Infinity } = decidedOn;
    const skipped = added.filter(({ count }) => count !== undefined);
    const isScheduled = launch !== undefined && launch.manual === undefined && launch.slotMs >= fromMs;
    const lastMs = isScheduled ? launch.slotMs : skipped.at(-1)?.lastSlotMs;
    if (lastMs === undefined) return;
    const counted = skipped.reduce((sum, { count = 0 }) => sum + count, isScheduled ? 1 : 0);
    expect(counted).toBe(slotsFrom(fromMs, lastMs, decidedOn).length);
    // The task itself may have moved its timer, or come to an end.
    if (!isUnedited || outcome?.nextAt !== undefined || record.ended !== undefined) return;
    expect(record.nextSlotMs).toBe(slotAfter(record, lastMs));
  }

  /** A run changes nothing about another task under the same id but its history. */
  #holdUntouched(before: TaskRecord, { launches, ended, state, manual, retry }: TaskRecord): void {
    expect({ launches, ended, state, manual, retry }).toEqual({
      launches: before.launches,
      ended: before.ended,
      state: before.state,
      manual: before.manual,
      retry: before.retry,
    });
  }

  /** What is kept proves that no slot is missing and none was decided twice; no record of it can be done without. */
  holdProofNeedsEach(): void {
    holdProven(this.record, this.kept(), this.nowMs);
    holdNeedsEach(this.record, this.kept(), this.nowMs);
  }

  /** All runs that are kept, newest first. */
  kept(): RunRecord[] {
    const { runs, chunks } = this.record;
    return [...runs, ...chunks.flatMap(({ index }) => this.chunks.get(index) ?? [])];
  }

  #write({ write, removed }: HistoryChange): void {
    for (const index of removed) expect(this.chunks.delete(index)).toBe(true);
    if (write === undefined) return;
    expect(this.chunks.has(write.index)).toBe(write.exists);
    this.chunks.set(write.index, write.runs);
  }

  /** Through its stored form, as it travels. */
  #store(record: TaskRecord): void {
    this.record = decodeRecord(record.task.id, encodeRecord(record));
    expect(this.record).toEqual(record);
  }

  /** Whatever is to come has a timer. */
  #check(): void {
    const { record } = this;
    const { task, retry, manual, nextSlotMs, decidedMs = -1, backfill } = record;
    expect(record.dueMs).toBe(dueOf(record));
    const isAsked = manual.length > 0 || backfill?.next !== undefined;
    const isToCome = isRemoved(record) || isAsked || (!task.paused && (retry ?? nextSlotMs) !== undefined);
    expect(record.dueMs !== undefined).toBe(isToCome || retry?.manual !== undefined);
    const pending = new Set([retry?.slotMs, backfill?.next?.slotMs, ...manual.map(({ slotMs }) => slotMs)]);
    for (const slotMs of this.#open) if (!pending.has(slotMs)) throw new Error(`${formatInstant(slotMs)} is forgotten`);
    if (nextSlotMs !== undefined) {
      expect(record.launches).toBeLessThan(task.maxRuns ?? Infinity);
      expect(record.ended).toBeUndefined();
      expect(nextSlotMs).toBeGreaterThan(decidedMs);
    } else if (retry === undefined) expect(record.ended).toBeDefined();
  }

  /** Only its own launch moves a backfill on, to a later slot. */
  #holdBackfill({ backfill: before }: TaskRecord, { backfill: after }: TaskRecord, { launch }: Done): void {
    if (before?.next === undefined || launch?.slotMs !== before.next.slotMs) expect(after).toEqual(before);
    else if (after?.next !== undefined) {
      expect(after.next.slotMs).toBeGreaterThan(before.next.slotMs);
      expect(after.next.forSlotMs).toBeGreaterThan(before.next.forSlotMs);
      expect(after.next.forSlotMs).toBeLessThanOrEqual(after.untilMs);
    }
  }

  /** The newest runs, in order, and no fewer than the task keeps. */
  #holdHistory(): void {
    const { chunks, task } = this.record;
    const kept = this.kept();
    expect(kept).toEqual(this.ledger.toReversed().slice(0, kept.length));
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(task.history, this.ledger.length));
    expect(this.chunks.size).toBe(chunks.length);
    for (const { index, count } of chunks) expect(this.chunks.get(index)).toHaveLength(count);
  }
}

function slotsFrom(fromMs: number, lastMs: number, record: TaskRecord): number[] {
  const slots = [fromMs];
  for (let slotMs = fromMs; slotMs < lastMs; slots.push(slotMs)) {
    slotMs = nextSlot(record.task.schedule, slotMs, record.registeredMs) ?? Infinity;
  }
  return slots;
}
