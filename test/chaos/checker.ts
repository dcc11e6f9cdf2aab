/**
 * Whether the promises held, from what was seen outside (marks at a listener), what the engine recorded, and what was
 * done to it, in the manner of Jepsen's test of Chronos: every slot that had to be decided was, once and in time. Pure.
 */
import type { EpochMs } from '../../src/clock.ts';
import {
  attemptKey,
  type CheckedTask,
  type Evidence,
  isExcused,
  type Mark,
  markLine,
  reach,
  runLine,
  type SeenRun,
  type Violation,
} from './evidence.ts';
import { checkFences } from './fences.ts';
import { checkLateness, type Lateness } from './lateness.ts';

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
    // The proxies are in this process: whoever computes for long here cuts everybody off.
    const single = new Set(last.flatMap(({ slotMs, lastSlotMs }) => (lastSlotMs === undefined ? slotMs : [])));
    const ranges = last.filter(({ lastSlotMs }) => lastSlotMs !== undefined);
    const isDecided = (at: EpochMs) =>
      single.has(at) || ranges.some(({ slotMs, lastSlotMs = slotMs }) => slotMs <= at && at <= lastSlotMs);
    return sum + slots.filter((slotMs) => !isDecided(slotMs)).length;
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
