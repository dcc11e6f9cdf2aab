/**
 * The registry: stores, edits, lists and removes tasks. Every change is a compare-and-swap on the task's record, in one
 * transaction with its code and its due entry; whoever is slower reads again and tries again. It needs no lease: a run
 * under way is recorded on the record as the edit left it.
 */

import type { AuditAction, AuditEntry, AuditOptions } from './audit.ts';
import { listAudit } from './audit-trail.ts';
import { type Batch, batchesOf, parseDocuments, type WrittenTask, writtenTask } from './bulk.ts';
import { ByHand } from './by-hand.ts';
import { type Change, Changes, type ChangesDeps, type Done, type Wish } from './changes.ts';
import type { EpochMs } from './clock.ts';
import { listDeadLetters } from './dead-letters.ts';
import { discard } from './discard.ts';
import { assertTaskId, invalidDocument } from './document.ts';
import { amend, assertCondition, pause, register, remove, resume } from './edit.ts';
import { emit } from './emit.ts';
import { type CronkeeperError, isCronkeeperError } from './errors.ts';
import type { Program } from './evaluator.ts';
import type { BusEvent, Emitted } from './event.ts';
import type { EventIndex } from './event-index.ts';
import { Hearings } from './hearings.ts';
import type { RunError } from './launch.ts';
import { listRuns, listTasks, notFound } from './listing.ts';
import { isRemoved, type TaskRecord } from './record.ts';
import { isLoaded, loadRecords } from './store.ts';
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

/** Transactions under way, when many tasks are put. */
const PUTS_IN_FLIGHT_MAX = 8;

export interface RegistryDeps extends ChangesDeps {
  readonly events: EventIndex;
  /** Parses code before it is stored. */
  readonly checkCode: (program: Program) => Promise<RunError | undefined>;
}

export class Registry implements Tasks {
  readonly #deps: RegistryDeps;
  readonly #principal: string;
  readonly #changes: Changes;
  readonly #byHand: ByHand;
  readonly #hearings: Hearings;

  /** @param principal whose changes these are. */
  constructor(deps: RegistryDeps, principal: string, changes = new Changes(deps)) {
    this.#deps = deps;
    this.#principal = principal;
    this.#changes = changes;
    this.#byHand = new ByHand({ ...deps, edit: (id, action, change) => this.#edit(id, action, {}, change) });
    // What an event launches is in the runs; nobody has changed anything.
    this.#hearings = new Hearings((id, change) => this.#edit(id, undefined, {}, change));
  }

  /** The same registry, in the name of somebody else. */
  as(principal: string): Registry {
    return new Registry(this.#deps, principal, this.#changes);
  }

  async put(document: TaskDocument, options: PutOptions = {}): Promise<PutResult> {
    const task = writtenTask(parseTask(document));
    await this.#checkCode(task.program, 'code');
    const [done] = await this.#changes.apply([putWish(task, options)], { principal: this.#principal });
    return putResult(done as Done, task);
  }

  async putMany(documents: readonly TaskDocument[]): Promise<PutResult[]> {
    const parsed = await this.#parseAll(documents);
    const results: PutResult[] = new Array(parsed.length);
    // As the batch before: tasks are put for the first time, or once more, with all others.
    let isLikelyNew = false;
    const put = async ({ indices, tasks }: Batch) => {
      const wishes = tasks.map((task) => putWish(task, {}));
      const done = await this.#changes.apply(wishes, { principal: this.#principal, isLikelyNew });
      isLikelyNew = done.every(({ created }) => created);
      for (const [k, i] of indices.entries()) results[i] = putResult(done[k] as Done, tasks[k] as WrittenTask);
    };
    // All work off the same batches: where one fails, it closes them, and what has not begun will not.
    const batches = batchesOf(parsed, this.#deps.layout.shardOf);
    const work = async () => {
      for (const batch of batches) await put(batch);
    };
    await Promise.all(Array.from({ length: PUTS_IN_FLIGHT_MAX }, work));
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

  async #edit(
    id: string,
    action: AuditAction | undefined,
    condition: Precondition,
    change: (record: TaskRecord, nowMs: EpochMs) => TaskRecord,
  ): Promise<TaskRecord> {
    assertTaskId(id);
    const wish: Wish = {
      ...{ id, action },
      change: (found, nowMs) => {
        if (found === undefined || isRemoved(found.record)) throw notFound(id);
        assertCondition(id, condition, found.record);
        return change(found.record, nowMs);
      },
    };
    const [done] = await this.#changes.apply([wish], { principal: this.#principal });
    return (done as Done).record;
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

  async #parseAll(documents: readonly TaskDocument[]): Promise<ParsedTask[]> {
    const parsed = await parseDocuments(documents);
    const byHash = new Map(parsed.map(({ program }, i) => [program.hash, { program, i }]));
    for (const { program, i } of byHash.values()) await this.#checkCode(program, `${i}.code`);
    return parsed;
  }

  async #checkCode(program: Program, field: string): Promise<void> {
    if (this.#changes.stored.has(program.hash)) return;
    const error = await this.#deps.checkCode(program);
    if (error === undefined) return;
    throw invalidDocument('task', [{ field, message: `${error.name}: ${error.message}` }]);
  }
}

function putWish({ written, program, saysPaused }: WrittenTask, options: PutOptions): Wish {
  const { task } = written;
  const change: Change = (found, nowMs) => {
    const current = found === undefined || isRemoved(found.record) ? undefined : found.record;
    assertCondition(task.id, options, current);
    if (found === undefined) return { ...register(task, nowMs), unread: written };
    const paused = current !== undefined && !saysPaused ? current.task.paused : task.paused;
    return amend(found.record, { ...task, paused }, nowMs);
  };
  return { id: task.id, action: 'put', program, change, isBounded: true };
}

const putResult = ({ record, created }: Done, { program }: WrittenTask): PutResult => ({
  ...taskView(record, program.source),
  created,
});
