/**
 * The registry: stores, edits, lists and removes tasks. Every change is a compare-and-swap on the task's record, in one
 * transaction with its code and its due entry; whoever is slower reads again and tries again. It needs no lease: a run
 * under way is recorded on the record as the edit left it.
 */

import { type AuditAction, type AuditEntry, type AuditOptions, auditLine } from './audit.ts';
import { type AuditTrail, listAudit } from './audit-trail.ts';
import { batchesOf, parseDocuments } from './bulk.ts';
import { ByHand, fitting } from './by-hand.ts';
import type { EpochMs } from './clock.ts';
import { isRefused, type Session } from './coordinator.ts';
import { listDeadLetters } from './dead-letters.ts';
import { discard } from './discard.ts';
import { assertTaskId, invalidDocument } from './document.ts';
import { DueDirectories, newPages } from './due.ts';
import { amend, assertCondition, pause, register, remove, resume } from './edit.ts';
import { type Edited, editOps } from './edit-ops.ts';
import { emit } from './emit.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import type { Program } from './evaluator.ts';
import type { BusEvent, Emitted } from './event.ts';
import { type EventIndex, rulesOps } from './event-index.ts';
import { Hearings } from './hearings.ts';
import type { RunError } from './launch.ts';
import type { Layout } from './layout.ts';
import { listRuns, listTasks, notFound } from './listing.ts';
import type { TaskQuota } from './quota.ts';
import { encodeRecord, isRemoved, type TaskRecord } from './record.ts';
import { type CodeCache, isLoaded, type Loaded, loadRecords } from './store.ts';
import { StoredCode } from './stored-code.ts';
import { type ParsedTask, parseTask, type TaskDocument } from './task.ts';
import {
  type BackfillRequest,
  type DeadLettersOptions,
  type ListOptions,
  type Page,
  type Precondition,
  type PutOptions,
  type PutResult,
  pageLimit,
  type RunRequest,
  type RunsOptions,
  type Tasks,
  type UndeliveredOptions,
} from './tasks.ts';
import { listUndelivered } from './undelivered.ts';
import { type QuarantinedView, type TaskView, taskView } from './view.ts';

/** How often an edit is tried against faster ones. */
const ATTEMPTS_MAX = 20;

/** Transactions under way, when many tasks are put. */
const PUTS_IN_FLIGHT_MAX = 8;

export interface RegistryDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly code: CodeCache;
  readonly events: EventIndex;
  readonly now: () => Promise<EpochMs>;
  /** Parses code before it is stored. */
  readonly checkCode: (program: Program) => Promise<RunError | undefined>;
  /** Unique in the namespace. */
  readonly maker: () => string;
  readonly trail: AuditTrail;
  readonly quota: TaskQuota;
}

/** What one session knows, whoever asks. */
interface Shared {
  readonly directories: DueDirectories;
  readonly stored: StoredCode;
}

/** From what is stored to what is to be stored; the same record: nothing to do. */
type Change = (found: Loaded | undefined, nowMs: EpochMs) => TaskRecord;

interface Wish {
  readonly id: string;
  /** Of a user; what has none leaves no trail. */
  readonly action: AuditAction | undefined;
  readonly program?: Program;
  readonly change: Change;
}

interface Changed extends Edited {
  readonly wish: Wish;
}

interface Done {
  readonly record: TaskRecord;
  readonly created: boolean;
}

export class Registry implements Tasks {
  readonly #deps: RegistryDeps;
  readonly #principal: string;
  readonly #shared: Shared;
  readonly #byHand: ByHand;
  readonly #hearings: Hearings;

  /** @param principal whose changes these are. */
  constructor(deps: RegistryDeps, principal: string, shared?: Shared) {
    this.#deps = deps;
    this.#principal = principal;
    this.#shared = shared ?? { directories: new DueDirectories(deps.session), stored: new StoredCode(deps) };
    this.#byHand = new ByHand({ ...deps, edit: (id, action, change) => this.#edit(id, action, {}, change) });
    // What an event launches is in the runs; nobody has changed anything.
    this.#hearings = new Hearings((id, change) => this.#edit(id, undefined, {}, change));
  }

  /** The same registry, in the name of somebody else. */
  as(principal: string): Registry {
    return new Registry(this.#deps, principal, this.#shared);
  }

  async put(document: TaskDocument, options: PutOptions = {}): Promise<PutResult> {
    const parsed = parseTask(document);
    await this.#checkCode(parsed, 'code');
    const [done] = await this.#apply([this.#putWish(parsed, options)]);
    return putResult(done as Done, parsed);
  }

  async putMany(documents: readonly TaskDocument[]): Promise<PutResult[]> {
    const parsed = await this.#parseAll(documents);
    const results: PutResult[] = new Array(parsed.length);
    const batches = batchesOf(parsed);
    const work = async () => {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        const { from, tasks } = batch;
        const done = await this.#apply(tasks.map((task) => this.#putWish(task, {})));
        for (const [i, task] of tasks.entries()) results[from + i] = putResult(done[i] as Done, task);
      }
    };
    await Promise.all(
      Array.from({ length: PUTS_IN_FLIGHT_MAX }, () =>
        work().catch((error: unknown) => {
          batches.length = 0; // what has not begun will not
          throw error;
        }),
      ),
    );
    return results;
  }

  async get(id: string): Promise<TaskView | QuarantinedView | undefined> {
    assertTaskId(id);
    const { session, layout, code } = this.#deps;
    const [found] = await loadRecords(session, layout, [id]);
    if (found === undefined) return undefined;
    if (!isLoaded(found)) return { id, status: 'quarantined', problem: found.message };
    if (isRemoved(found.record)) return undefined;
    const { hash } = found.record.task.code;
    const programs = await code.load(session, layout, [hash]);
    return taskView(found.record, programs.get(hash)?.source);
  }

  list(options: ListOptions = {}) {
    return listTasks(this.#deps.session, this.#deps.layout, options);
  }

  async remove(id: string, options: Precondition = {}): Promise<boolean> {
    try {
      await this.#edit(id, 'remove', options, remove);
      return true;
    } catch (error) {
      if (isCronkeeperError(error, 'not-found')) return false;
      if (isCronkeeperError(error, 'corrupt')) return this.#discard(id, error);
      throw error;
    }
  }

  async pause(id: string): Promise<TaskView> {
    return taskView(await this.#edit(id, 'pause', {}, pause));
  }

  async resume(id: string): Promise<TaskView> {
    return taskView(await this.#edit(id, 'resume', {}, resume));
  }

  run(id: string, request: RunRequest = {}) {
    return this.#byHand.run(id, request);
  }

  redrive(id: string, launchId?: string) {
    return this.#byHand.redrive(id, launchId);
  }

  backfill(id: string, request: BackfillRequest) {
    return this.#byHand.backfill(id, request);
  }

  /** @throws CronkeeperError when a task that wants the event could not take it now: deliver it again. */
  emit(event: BusEvent): Promise<Emitted> {
    return emit({ ...this.#deps, hearings: this.#hearings }, event);
  }

  runs(id: string, options: RunsOptions = {}) {
    return listRuns(this.#deps.session, this.#deps.layout, id, options);
  }

  deadLetters(options: DeadLettersOptions = {}) {
    return listDeadLetters(this.#deps.session, this.#deps.layout, options);
  }

  async audit(options: AuditOptions = {}): Promise<Page<AuditEntry>> {
    if (options.taskId !== undefined) assertTaskId(options.taskId);
    return listAudit(this.#deps.session, this.#deps.layout, options, pageLimit(options.limit));
  }

  undelivered(options: UndeliveredOptions = {}) {
    return listUndelivered(this.#deps.session, this.#deps.layout, options);
  }

  #putWish({ task, program, saysPaused }: ParsedTask, options: PutOptions): Wish {
    const change: Change = (found, nowMs) => {
      const current = found === undefined || isRemoved(found.record) ? undefined : found.record;
      assertCondition(task.id, options, current);
      if (found === undefined) return fitting(register(task, nowMs), undefined);
      const paused = current !== undefined && !saysPaused ? current.task.paused : task.paused;
      return fitting(amend(found.record, { ...task, paused }, nowMs), found.record);
    };
    return { id: task.id, action: 'put', program, change };
  }

  async #edit(
    id: string,
    action: AuditAction | undefined,
    condition: Precondition,
    change: (record: TaskRecord, nowMs: EpochMs) => TaskRecord,
  ): Promise<TaskRecord> {
    assertTaskId(id);
    const [done] = await this.#apply([
      {
        ...{ id, action },
        change: (found, nowMs) => {
          if (found === undefined || isRemoved(found.record)) throw notFound(id);
          assertCondition(id, condition, found.record);
          return change(found.record, nowMs);
        },
      },
    ]);
    return (done as Done).record;
  }

  /** Applies changes in one transaction; against faster ones, again. */
  async #apply(wishes: readonly Wish[]): Promise<Done[]> {
    const { session, layout } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      const nowMs = await this.#deps.now();
      const loaded = await loadRecords(
        session,
        layout,
        wishes.map(({ id }) => id),
      );
      const changes = wishes.map((wish, i) => {
        const found = loaded[i];
        if (found !== undefined && !isLoaded(found)) throw unreadable(found);
        const record = wish.change(found, nowMs);
        return { wish, found, record };
      });
      const changed = changes.filter(({ found, record }) => record !== found?.record);
      try {
        if (changed.length > 0) await this.#write(changed, nowMs);
        else await this.#shared.stored.mend(wishes.flatMap(({ program }) => program ?? []));
        return results(changes);
      } catch (error) {
        const isUnknown = isCronkeeperError(error, 'outcome-unknown');
        if ((!isUnknown && !isRefused(error)) || attempt === ATTEMPTS_MAX) throw error;
        if (isUnknown && (await this.#isThere(changed.map(({ record }) => record)))) return results(changes);
        this.#shared.directories.forget();
        this.#deps.trail.forget();
        this.#shared.stored.forget();
      }
    }
  }

  /** Of a record that nobody can read, the trail says no more than who removed it. */
  #discard(id: string, problem: CronkeeperError): Promise<boolean> {
    const { session, layout, maker, trail } = this.#deps;
    const note = async (nowMs: EpochMs) => {
      await trail.open(session, layout, nowMs);
      return trail.ops(layout, nowMs, maker, this.#principal, [{ taskId: id, action: 'remove' }]);
    };
    return discard({ ...this.#deps, note }, id, problem);
  }

  /** The reply was lost: was the change made? It is atomic, so any of its records tells. */
  async #isThere(records: readonly TaskRecord[]): Promise<boolean> {
    const [first] = records;
    if (first === undefined) return true;
    const node = await this.#deps.session.get(this.#deps.layout.task(first.task.id));
    return node?.data === encodeRecord(first);
  }

  async #write(changed: readonly Changed[], nowMs: EpochMs): Promise<void> {
    const { session, layout, maker, trail, quota } = this.#deps;
    const code = await this.#shared.stored.ops(changed.flatMap(({ wish }) => wish.program ?? []));
    const armed = changed.filter(({ found, record }) => record.timer !== found?.record.timer);
    const entries = armed.flatMap(({ record: { task, dueMs, timer } }) =>
      dueMs === undefined ? [] : [{ taskId: task.id, dueMs, timer }],
    );
    const both = changed.map(({ found, record }) => ({ before: found?.record, after: record }));
    const [rules] = await Promise.all([
      rulesOps(session, layout, both, maker),
      this.#shared.directories.ensure(entries, layout),
      trail.open(session, layout, nowMs),
    ]);
    const pages = newPages(layout, entries, maker).ops;
    const lines = changed.flatMap(({ wish: { action }, found, record }) =>
      action === undefined ? [] : [auditLine(action, found?.record, record)],
    );
    const noted = trail.ops(layout, nowMs, maker, this.#principal, lines);
    const added = changed.filter(({ found }) => found === undefined).length;
    await quota.within(session, layout, nowMs, added, () =>
      session.multi([...code, ...editOps(layout, nowMs, changed, maker), ...rules, ...pages, ...noted]),
    );
  }

  async #parseAll(documents: readonly TaskDocument[]): Promise<ParsedTask[]> {
    const parsed = await parseDocuments(documents);
    const byHash = new Map(parsed.map((task, i) => [task.program.hash, { task, i }]));
    for (const { task, i } of byHash.values()) await this.#checkCode(task, `${i}.code`);
    return parsed;
  }

  async #checkCode({ program }: ParsedTask, field: string): Promise<void> {
    if (this.#shared.stored.has(program.hash)) return;
    const error = await this.#deps.checkCode(program);
    if (error === undefined) return;
    throw invalidDocument('task', [{ field, message: `${error.name}: ${error.message}` }]);
  }
}

const unreadable = (problem: CronkeeperError): CronkeeperError =>
  new CronkeeperError('corrupt', `${problem.message}. To begin again: remove the task, and put it`, { cause: problem });

const results = (changes: readonly Changed[]): Done[] =>
  changes.map(({ found, record }) => ({ record, created: found === undefined || isRemoved(found.record) }));

const putResult = ({ record, created }: Done, { program }: ParsedTask): PutResult => ({
  ...taskView(record, program.source),
  created,
});
