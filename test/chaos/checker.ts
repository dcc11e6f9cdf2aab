/**
 * Whether the promises held, from what was seen outside (marks at a listener), what the engine recorded, and what was
 * done to it, in the manner of Jepsen's test of Chronos: every slot that had to be decided was, once and in time. Pure.
 */
import type { EpochMs } from '../../src/clock.ts';
import type { RunStatus } from '../../src/launch.ts';
import { checkFences } from './fences.ts';
import { checkLateness, type Lateness } from './lateness.ts';

export interface CheckedTask {
  readonly id: string;
  /** All that had to be decided, ascending: recomputed from the schedule. */
  readonly slots: readonly EpochMs[];
  /** A slot falls due so much later: the task's `spread`. */
  readonly offsetMs: number;
  readonly shard: number;
  readonly delivery: 'at-least-once' | 'at-most-once';
  /** How long a run takes by itself. */
  readonly runMs: number;
}

/** What the listener heard. */
export interface Mark {
  readonly kind: 'start' | 'end';
  readonly taskId: string;
  readonly slotMs: EpochMs;
  readonly attempt: number;
  readonly fence: number;
  readonly atMs: EpochMs;
  /** Whose connection it was. */
  readonly worker?: number;
}

/** A record, as it was read. */
export interface SeenRun {
  readonly taskId: string;
  readonly slotMs: EpochMs;
  readonly attempt: number;
  readonly status: RunStatus;
  readonly fence: number;
  readonly startedMs: EpochMs;
  readonly finishedMs: EpochMs;
  /** Another attempt is to come. */
  readonly isRetried: boolean;
  /** A range of skipped slots. */
  readonly lastSlotMs?: EpochMs;
  readonly count?: number;
  /** It was not there yet in a reading that began then. */
  readonly notBeforeMs: EpochMs;
}

/** What a fault excuses: a run begun in vain, a slot decided late, or nothing (a trigger that comes twice). */
export type Excuse = 'runs' | 'lateness' | 'nothing';

export interface Fault {
  readonly kind: string;
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  /** Whom it hit; absent: everybody. */
  readonly worker?: number;
  readonly excuses: Excuse;
}

export interface Bounds {
  /** After a fault, runs may be lost for so long: the session must end, and be known to have ended. */
  readonly graceMs: number;
  /** A slot is decided so soon after it could be, when nothing is done to anybody. */
  readonly calmMs: number;
  /** And so soon after the last fault. */
  readonly faultyMs: number;
  /** A launch that two holders were lost with waits for its turn alone: so much longer. */
  readonly suspectMs: number;
}

export interface Evidence {
  readonly tasks: readonly CheckedTask[];
  /** In the order in which they came. */
  readonly marks: readonly Mark[];
  /** Of each task in the order in which they were recorded. */
  readonly runs: readonly SeenRun[];
  readonly faults: readonly Fault[];
  readonly bounds: Bounds;
}

export const VIOLATIONS = [
  'lost',
  'doubled',
  'unexpected',
  'unmarked',
  'unjustified',
  'started twice',
  'late',
  'fence going back',
  'stale record',
] as const;

export interface Violation {
  readonly what: (typeof VIOLATIONS)[number];
  readonly taskId: string;
  readonly slotMs: EpochMs;
  readonly detail: string;
}

export interface Verdict extends Lateness {
  readonly slots: number;
  readonly records: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Starts that came to no record: their launch was run again, or closed. */
  readonly reruns: number;
  /** Of all slots. */
  readonly rerunShare: number;
  /** Starts under a fence older than one that was at work already. None of them was recorded. */
  readonly staleStarts: number;
  readonly violations: readonly Violation[];
}

export function check(evidence: Evidence): Verdict {
  const runsOf = Map.groupBy(evidence.runs, ({ taskId }) => taskId);
  const marksOf = Map.groupBy(evidence.marks, ({ taskId }) => taskId);
  const violations: Violation[] = [];
  let reruns = 0;
  for (const task of evidence.tasks) {
    const runs = runsOf.get(task.id) ?? [];
    const marks = marksOf.get(task.id) ?? [];
    violations.push(...checkSlots(task, runs), ...checkMarked(runs, marks));
    const starts = checkStarts(task, runs, marks, evidence);
    violations.push(...starts.violations);
    reruns += starts.reruns;
  }
  const fences = checkFences(evidence);
  const lateness = checkLateness(evidence);
  const slots = evidence.tasks.reduce((sum, task) => sum + task.slots.length, 0);
  return {
    slots,
    records: evidence.runs.length,
    byStatus: countBy(evidence.runs.filter(({ isRetried }) => !isRetried)),
    reruns,
    rerunShare: slots === 0 ? 0 : reruns / slots,
    staleStarts: fences.staleStarts,
    ...lateness.seen,
    violations: [...violations, ...fences.violations, ...lateness.violations],
  };
}

/** A range counts for each of its slots. */
function countBy(runs: readonly SeenRun[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, count = 1 } of runs) counts[status] = (counts[status] ?? 0) + count;
  return counts;
}

/** Every slot has exactly one last word. */
function checkSlots({ id: taskId, slots }: CheckedTask, runs: readonly SeenRun[]): Violation[] {
  const violations: Violation[] = [];
  const isSlot = new Set(slots);
  const words = new Map<EpochMs, SeenRun[]>();
  for (const run of runs) {
    const covered = coveredBy(run, slots);
    if (!isSlot.has(run.slotMs) || covered.length !== (run.count ?? 1)) {
      violations.push({ what: 'unexpected', taskId, slotMs: run.slotMs, detail: runLine(run) });
    }
    if (run.isRetried) continue;
    for (const slotMs of covered) words.set(slotMs, [...(words.get(slotMs) ?? []), run]);
  }
  for (const slotMs of slots) {
    const last = words.get(slotMs) ?? [];
    if (last.length === 1) continue;
    if (last.length > 1) violations.push({ what: 'doubled', taskId, slotMs, detail: last.map(runLine).join('; ') });
    else violations.push({ what: 'lost', taskId, slotMs, detail: 'no record' });
  }
  return violations;
}

function coveredBy({ slotMs, lastSlotMs = slotMs }: SeenRun, slots: readonly EpochMs[]): EpochMs[] {
  return slots.filter((each) => each >= slotMs && each <= lastSlotMs);
}

/** Slots without a last word. */
export function undecided(tasks: readonly CheckedTask[], runs: readonly SeenRun[]): number {
  const runsOf = Map.groupBy(runs, ({ taskId }) => taskId);
  return tasks.reduce((sum, { id, slots }) => {
    const last = (runsOf.get(id) ?? []).filter(({ isRetried }) => !isRetried);
    const decided = new Set(last.flatMap((run) => coveredBy(run, slots)));
    return sum + slots.length - decided.size;
  }, 0);
}

/** What succeeded has been there: it has told the listener so, under its own fence. */
function checkMarked(runs: readonly SeenRun[], marks: readonly Mark[]): Violation[] {
  const heard = new Set(marks.map((mark) => `${mark.kind} ${attemptKey(mark)}`));
  return runs
    .filter((run) => run.status === 'succeeded')
    .flatMap((run): Violation[] => {
      const missing = ['start', 'end'].filter((kind) => !heard.has(`${kind} ${attemptKey(run)}`));
      if (missing.length === 0) return [];
      const detail = `${runLine(run)}, but no mark of its ${missing.join(' and ')}`;
      return [{ what: 'unmarked', taskId: run.taskId, slotMs: run.slotMs, detail }];
    });
}

/** A start is recorded, or something was done to its holder; and what may start once has. */
function checkStarts(task: CheckedTask, runs: readonly SeenRun[], marks: readonly Mark[], evidence: Evidence) {
  const { id: taskId, delivery, runMs } = task;
  const violations: Violation[] = [];
  const recorded = new Set(runs.map(attemptKey));
  const starts = marks.filter(({ kind }) => kind === 'start');
  const inVain = starts.filter((mark) => !recorded.has(attemptKey(mark)));
  for (const mark of inVain) {
    if (isExcused(mark, runMs, evidence)) continue;
    violations.push({ what: 'unjustified', taskId, slotMs: mark.slotMs, detail: `${markLine(mark)}, never recorded` });
  }
  for (const run of runs.filter(({ status }) => status === 'uncertain')) {
    const { startedMs, slotMs } = run;
    const isCaused = evidence.faults.some(
      (fault) => fault.excuses === 'runs' && fault.fromMs <= startedMs && reach(fault, evidence.bounds) >= slotMs,
    );
    if (!isCaused) violations.push({ what: 'unjustified', taskId, slotMs, detail: runLine(run) });
  }
  for (const [slotMs, launch] of Map.groupBy(starts, (mark) => mark.slotMs)) {
    // Whoever takes over knows from the journal what was begun, and begins the next attempt.
    const isRepeated = new Set(launch.map(({ attempt }) => attempt)).size < launch.length;
    if (launch.length > 1 && (delivery === 'at-most-once' || isRepeated)) {
      violations.push({ what: 'started twice', taskId, slotMs, detail: launch.map(markLine).join('; ') });
    }
  }
  return { violations, reruns: inVain.length };
}

/** Whether something was done to the one who made this mark, while the run was under way or shortly before. */
export function isExcused(mark: Mark, runMs: number, { faults, bounds }: Pick<Evidence, 'faults' | 'bounds'>): boolean {
  return faults.some(
    (fault) =>
      fault.excuses === 'runs' &&
      (fault.worker === undefined || mark.worker === undefined || fault.worker === mark.worker) &&
      fault.fromMs <= mark.atMs + runMs + bounds.graceMs &&
      reach(fault, bounds) >= mark.atMs,
  );
}

const reach = ({ untilMs }: Fault, { graceMs }: Bounds): EpochMs => untilMs + graceMs;

type Attempt = Pick<SeenRun, 'slotMs' | 'attempt' | 'fence'>;

export const attemptKey = ({ slotMs, attempt, fence }: Attempt): string => `${slotMs}#${attempt} under ${fence}`;

export function runLine(run: SeenRun): string {
  const range = run.count === undefined ? '' : ` (${run.count} slots)`;
  const took = `from ${clockTime(run.startedMs)} to ${clockTime(run.finishedMs)}`;
  return `record: ${run.status}${range}, attempt ${run.attempt}, fence ${run.fence}, ${took}`;
}

export function markLine({ kind, attempt, fence, atMs, worker }: Mark): string {
  const whose = worker === undefined ? 'of whom is not known' : `of worker ${worker}`;
  return `mark: ${kind}, attempt ${attempt}, fence ${fence}, at ${clockTime(atMs)}, ${whose}`;
}

export const clockTime = (ms: EpochMs): string => new Date(ms).toISOString().slice(11, 23);
