/**
 * I1: one terminal record per (task, slot). I2: the schedule moves past no slot that is not decided. I3: nothing is recorded
 * that was never due. I8: what was decided stays decided.
 */
import type { RunRecord, TaskRecord } from '../../../src/record.ts';
import { nextSlot, type Schedule } from '../../../src/schedule.ts';
import type { RecordChange, Transaction } from '../observer.ts';
import type { Violations } from '../violations.ts';

export interface Entry {
  readonly taskId: string;
  readonly run: RunRecord;
  readonly atMs: number;
}

interface Definition {
  readonly schedule: Schedule;
  readonly registeredMs: number;
}

interface Known {
  readonly definitions: Definition[];
  /** Slots that are decided, and how. */
  readonly decided: Map<number, string>;
  /** Asked for by hand. */
  readonly manual: Set<number>;
  /** Asked for by the task's own runs. */
  readonly moved: Set<number>;
}

export class Ledger {
  readonly entries: Entry[] = [];
  slots = 0;
  readonly #byFence = new Map<number, Entry[]>();
  readonly #tasks = new Map<string, Known>();
  readonly #violations: Violations;
  readonly #now: () => number;

  constructor(violations: Violations, now: () => number) {
    this.#violations = violations;
    this.#now = now;
  }

  /** What was recorded under a fence, of whatever shard. */
  under(fence: number): readonly Entry[] {
    return this.#byFence.get(fence) ?? [];
  }

  isManual(taskId: string, slotMs: number): boolean {
    return this.#of(taskId).manual.has(slotMs);
  }

  askedFor(taskId: string, slotMs: number): void {
    this.#of(taskId).moved.add(slotMs);
  }

  onTransaction({ records, session }: Transaction): void {
    for (const change of records) {
      this.#learn(change);
      for (const run of change.added) this.#add(change.taskId, run);
      if (change.before === undefined || change.after === undefined) continue;
      this.#holdMonotone(change.before, change.after);
      if (session.process.name.startsWith('user')) holdEdit(change.before, change.after, this.#violations);
      else this.#holdNoneLost(change.before, change.after);
    }
  }

  #of(taskId: string): Known {
    const known = this.#tasks.get(taskId) ?? {
      definitions: [],
      decided: new Map(),
      manual: new Set(),
      moved: new Set(),
    };
    this.#tasks.set(taskId, known);
    return known;
  }

  #learn({ taskId, before, after }: RecordChange): void {
    if (after === undefined) return;
    const known = this.#of(taskId);
    for (const { slotMs } of after.manual) known.manual.add(slotMs);
    if (after.revision === before?.revision) return;
    known.definitions.push({ schedule: after.task.schedule, registeredMs: after.registeredMs });
  }

  #add(taskId: string, run: RunRecord): void {
    const entry = { taskId, run, atMs: this.#now() };
    this.entries.push(entry);
    const sameFence = this.#byFence.get(run.fence) ?? [];
    this.#byFence.set(run.fence, sameFence);
    sameFence.push(entry);
    if (run.retryMs !== undefined) return;
    const { decided } = this.#of(taskId);
    for (const slotMs of this.#slotsOf(taskId, run)) {
      const earlier = decided.get(slotMs);
      this.#violations.hold(earlier === undefined, 'I1', () => `${taskId}@${slotMs}: ${earlier}, then ${run.status}`);
      decided.set(slotMs, `${run.status} attempt ${run.attempt} fence ${run.fence}`);
      this.slots++;
    }
  }

  #slotsOf(taskId: string, run: RunRecord): readonly number[] {
    const { slotMs, lastSlotMs, count } = run;
    const { definitions, moved, manual } = this.#of(taskId);
    if (count === undefined || lastSlotMs === undefined) {
      const isDue = moved.has(slotMs) || manual.has(slotMs) || definitions.some((each) => isSlot(each, slotMs));
      this.#violations.hold(isDue, 'I3', () => `${taskId}@${slotMs}: ${run.status}, and was never due`);
      return [slotMs];
    }
    for (const definition of definitions.toReversed()) {
      if (!moved.has(slotMs) && !isSlot(definition, slotMs)) continue;
      const slots = slotsFrom(definition, slotMs, lastSlotMs);
      if (slots.length === count && slots.at(-1) === lastSlotMs) return slots;
    }
    this.#violations.add(
      'I3',
      `${taskId}: ${count} slots skipped from ${slotMs} to ${lastSlotMs}: no schedule has them`,
    );
    return [slotMs];
  }

  #holdMonotone(before: TaskRecord, after: TaskRecord): void {
    const { decidedMs = -Infinity, nextSlotMs, task } = after;
    const was = before.decidedMs ?? -Infinity;
    this.#violations.hold(decidedMs >= was, 'I8', () => `${task.id}: decided up to ${was}, then up to ${decidedMs}`);
    const isLater = nextSlotMs === undefined || nextSlotMs > decidedMs;
    this.#violations.hold(isLater, 'I8', () => `${task.id}: next ${nextSlotMs}, though decided up to ${decidedMs}`);
  }

  #holdNoneLost(before: TaskRecord, after: TaskRecord): void {
    const { id, schedule } = before.task;
    const { nextSlotMs: fromMs } = before;
    if (fromMs === undefined || after.nextSlotMs === fromMs || after.ended === 'completed') return;
    const { decided, moved } = this.#of(id);
    const isMoved = after.nextSlotMs !== undefined && moved.has(after.nextSlotMs);
    const isEnd = after.nextSlotMs === undefined;
    const untilMs = isMoved || isEnd ? (after.decidedMs ?? -Infinity) : (after.nextSlotMs as number) - 1;
    const definition = { schedule, registeredMs: before.registeredMs };
    for (const slotMs of slotsFrom(definition, fromMs, untilMs)) {
      const isOpen = !decided.has(slotMs) && after.retry?.slotMs !== slotMs;
      this.#violations.hold(!isOpen, 'I2', () => `${id}@${slotMs}: passed over, to ${after.nextSlotMs ?? after.ended}`);
    }
  }
}

/** An edit moves the schedule as it says, and in no other way. */
function holdEdit(before: TaskRecord, after: TaskRecord, violations: Violations): void {
  const { id } = after.task;
  if (after.ended === 'removed') return;
  const isRestarted = after.registeredMs !== before.registeredMs || after.createdMs !== before.createdMs;
  const isResumed =
    (before.task.paused && !after.task.paused) || (before.ended === 'completed' && after.ended === undefined);
  const { nextSlotMs } = after;
  if (!isRestarted && !isResumed) {
    const isStill = nextSlotMs === before.nextSlotMs;
    violations.hold(isStill, 'I2', () => `${id}: an edit moved ${before.nextSlotMs} to ${nextSlotMs}`);
    return;
  }
  if (!isRestarted && before.nextSlotMs !== undefined && before.nextSlotMs > after.updatedMs) {
    violations.hold(nextSlotMs === before.nextSlotMs, 'I2', () => `${id}: a resume moved ${before.nextSlotMs}`);
    return;
  }
  const { task, registeredMs, decidedMs = -Infinity, launches } = after;
  const isSpent = task.maxRuns !== undefined && launches >= task.maxRuns;
  const sinceMs = isRestarted && task.schedule.kind === 'after' ? registeredMs - 1 : after.updatedMs;
  const found = nextSlot(task.schedule, Math.max(sinceMs, decidedMs, (task.startMs ?? 0) - 1), registeredMs);
  const expected = isSpent || found === undefined || found > (task.endMs ?? Infinity) ? undefined : found;
  violations.hold(nextSlotMs === expected, 'I2', () => `${id}: after an edit ${nextSlotMs} is next, not ${expected}`);
}

const isSlot = ({ schedule, registeredMs }: Definition, slotMs: number): boolean =>
  nextSlot(schedule, slotMs - 1, registeredMs) === slotMs;

/** `fromMs` and the slots after it, up to `lastMs`. */
function slotsFrom({ schedule, registeredMs }: Definition, fromMs: number, lastMs: number): number[] {
  const slots: number[] = [];
  for (let slotMs: number | undefined = fromMs; slotMs !== undefined && slotMs <= lastMs; ) {
    slots.push(slotMs);
    slotMs = nextSlot(schedule, slotMs, registeredMs);
  }
  return slots;
}
