/** How late slots were decided, and whether that was too late. Pure. */
import type { EpochMs } from '../../src/clock.ts';
import {
  type CheckedTask,
  clockTime,
  type Evidence,
  type Fault,
  runLine,
  type SeenRun,
  type Violation,
} from './evidence.ts';

/** The longest, ms; after its sort. */
export interface Lateness {
  readonly latestCalmMs: number;
  readonly latestFaultyMs: number;
  /** Of launches that two holders or more had begun and not lived to record: they run alone, one after the other. */
  readonly latestSuspectMs: number;
  readonly suspects: number;
}

/** The first record of a launch tells by its attempt how often it was begun before, and lost. */
const SUSPECT_CRASHES = 2;

/**
 * A slot could be decided when it fell due and the launch before it had come to its end: a task has one at a time. From
 * then, or from the last moment at which anything was being done to anybody, it must be decided within a bound.
 */
export function checkLateness(evidence: Evidence): { seen: Lateness; violations: Violation[] } {
  const { tasks, bounds } = evidence;
  const runsOf = Map.groupBy(evidence.runs, ({ taskId }) => taskId);
  const faults = evidence.faults.filter(({ excuses }) => excuses !== 'nothing');
  const violations: Violation[] = [];
  const seen = { latestCalmMs: 0, latestFaultyMs: 0, latestSuspectMs: 0, suspects: 0 };
  for (const task of tasks) {
    for (const { run, fromMs } of decisions(task, runsOf.get(task.id) ?? [])) {
      const lateMs = run.startedMs - fromMs;
      const calmSinceMs = lastFaultMs(faults, fromMs - bounds.faultyMs, run.startedMs);
      const isSuspect = run.attempt > SUSPECT_CRASHES;
      if (isSuspect) seen.suspects++;
      const sort = isSuspect ? 'latestSuspectMs' : calmSinceMs === undefined ? 'latestCalmMs' : 'latestFaultyMs';
      seen[sort] = Math.max(seen[sort], lateMs);
      const boundMs =
        (calmSinceMs === undefined ? bounds.calmMs : bounds.faultyMs) + (isSuspect ? bounds.suspectMs : 0);
      if (run.startedMs - Math.max(fromMs, calmSinceMs ?? 0) <= boundMs) continue;
      const since = calmSinceMs === undefined ? 'no fault' : `the last fault ended at ${clockTime(calmSinceMs)}`;
      const detail = `${runLine(run)}; could be decided from ${clockTime(fromMs)} on; ${since}`;
      violations.push({ what: 'late', taskId: task.id, slotMs: run.slotMs, detail });
    }
  }
  return { seen, violations };
}

interface Decision {
  readonly run: SeenRun;
  /** When it could be made. */
  readonly fromMs: EpochMs;
}

/** The first record of each launch, and each range. What was begun before, and lost, is a matter of faults. */
function decisions({ offsetMs }: CheckedTask, runs: readonly SeenRun[]): Decision[] {
  const made: Decision[] = [];
  let freeMs = -Infinity;
  let slotMs: EpochMs | undefined;
  for (const run of runs) {
    if (run.slotMs !== slotMs) made.push({ run, fromMs: Math.max(run.slotMs + offsetMs, freeMs) });
    slotMs = run.slotMs;
    if (!run.isRetried) freeMs = Math.max(freeMs, run.finishedMs);
  }
  return made;
}

/** When the last fault ended, or reached the moment of the decision. */
function lastFaultMs(faults: readonly Fault[], fromMs: EpochMs, untilMs: EpochMs): EpochMs | undefined {
  let lastMs: EpochMs | undefined;
  for (const fault of faults) {
    if (fault.fromMs > untilMs || fault.untilMs < fromMs) continue;
    lastMs = Math.max(lastMs ?? -Infinity, Math.min(fault.untilMs, untilMs));
  }
  return lastMs;
}
