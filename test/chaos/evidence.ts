/** What the judge of the chaos goes by: what had to happen, what was seen, and what was done. Pure. */
import type { EpochMs } from '../../src/clock.ts';
import type { RunStatus } from '../../src/launch.ts';

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

/** Until when it may be the reason for something. */
export const reach = ({ untilMs }: Fault, { graceMs }: Bounds): EpochMs => untilMs + graceMs;

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
