/**
 * What a task's node holds: its normal form, where its schedule stands, what is pending, and its last runs. One record
 * per task, changed by compare-and-swap; everything that must not disagree is in here.
 */
import type { EpochMs } from './clock.ts';
import type { RecordedAnswer } from './evaluator.ts';
import type { RunError, RunStatus } from './launch.ts';
import type { RECORD_VERSION } from './record-form.ts';
import type { Unread } from './record-lines.ts';
import { nextSlot } from './schedule.ts';
import { spreadOffsetMs } from './shard.ts';
import { isRunSound } from './soundness.ts';
import type { Task } from './task.ts';

/** Removed tasks stay as tombstones for so long, so that the record of a run that outlives its task is kept too. */
export const TOMBSTONE_MS = 7 * 86_400_000;

export interface TaskRecord {
  readonly v: typeof RECORD_VERSION;
  readonly task: Task;
  /** Of the definition: grows with every accepted edit. The ETag. */
  readonly revision: number;
  /** The revision that brought the task's input; absent: the first. Runs of later ones were given the same. */
  readonly inputRevision?: number;
  readonly createdMs: EpochMs;
  readonly updatedMs: EpochMs;
  /** When the schedule was set: `after` counts from here. */
  readonly registeredMs: EpochMs;
  /** The revision that set it; absent: the first. */
  readonly registeredRevision?: number;
  /** The latest slot that an earlier schedule has decided, where that is later than `registeredMs`. */
  readonly supersededMs?: EpochMs;
  /** Number of the task's due entry; an entry with another number is stale. */
  readonly timer: number;
  /** When that entry is due; absent when nothing is to come. */
  readonly dueMs?: EpochMs;
  /** The first slot of the schedule that is not decided yet; absent when there is none. */
  readonly nextSlotMs?: EpochMs;
  /** The launch that waits for its next attempt. A task has at most one unfinished launch. */
  readonly retry?: PendingRetry;
  /** Launches asked for by hand, oldest first. */
  readonly manual: readonly ManualLaunch[];
  /** Keys of launches asked for by hand, the latest last: a key again is the same launch. */
  readonly asked: readonly AskedKey[];
  /** Events that it was launched for, see `event-memory.ts`: an event again is the same launch. Absent: none. */
  readonly heard?: readonly string[];
  /** The latest backfill, also when it has come to its end: asking for it again is the same one. */
  readonly backfill?: Backfill;
  /** Launches of the schedule that came to an end; `maxRuns` counts them. */
  readonly launches: number;
  /**
   * The latest slot of the schedule that was decided. None up to it comes again, even where the schedule is edited by a
   * machine whose clock is behind.
   */
  readonly decidedMs?: EpochMs;
  /** Where the schedule has left out slots that are in no run's record, oldest first. */
  readonly gaps?: readonly Gap[];
  /** The latest slot of the schedule whose record has been dropped from the history. */
  readonly forgottenMs?: EpochMs;
  /** When launches of the schedule were unfinished, oldest first, as far as slots that fell due then are undecided. */
  readonly busy?: readonly BusySpan[];
  /** Why nothing more will come. */
  readonly ended?: 'completed' | 'exhausted' | 'removed';
  /** Carried from run to run; JSON. */
  readonly state: unknown;
  /** The latest runs, newest first; older ones are in chunks. Never empty once the task has run. */
  readonly runs: readonly RunRecord[];
  /** Runs behind those, as they are stored: only where a record was read for a launch, which has no use for them. */
  readonly unread?: Unread;
  /** Chunks of older runs, newest first. */
  readonly chunks: readonly Chunk[];
  /** Slots of the launches kept as dead letters, oldest first. */
  readonly deadSlots: readonly EpochMs[];
}

export interface PendingRetry {
  readonly slotMs: EpochMs;
  /** Of the attempt to come. */
  readonly attempt: number;
  readonly dueMs: EpochMs;
  /** When the first attempt started: the launch overlaps what falls due from then on. */
  readonly sinceMs: EpochMs;
  readonly manual?: ManualLaunch;
}

/** Slots in [fromMs, untilMs) were passed over: the task was paused then, or had come to an end. */
export interface Gap {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  readonly reason: 'paused' | 'completed';
}

/** What fell due in (fromMs, untilMs] overlapped a launch. */
export interface BusySpan {
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
}

/** What a launch asked for by hand stands for, where that is more than itself. */
export interface StandsFor {
  /** The slot that its run is told: the one that is made up for, or that of the launch it repeats. */
  readonly forSlotMs?: EpochMs;
  /** Slot of the launch that it repeats: its dead letter was redriven. */
  readonly redriveOfMs?: EpochMs;
  /** Slot of the first launch of such a row, whose idempotency key all of them have; absent: `redriveOfMs`. */
  readonly keyMs?: EpochMs;
  /** The event that it is launched for. */
  readonly eventId?: string;
}

/** A key of the user's, or (with an empty one) the launch whose dead letter was redriven, and what it became. */
export interface AskedKey {
  readonly key: string;
  readonly slotMs: EpochMs;
  readonly redriveOfMs?: EpochMs;
}

/** A range of past slots to be launched, one after the other. */
export interface Backfill {
  readonly key: string;
  /** Its launches are due since then. */
  readonly askedMs: EpochMs;
  readonly fromMs: EpochMs;
  readonly untilMs: EpochMs;
  /** Slots in it when it was asked for. */
  readonly count: number;
  /** The next launch: it has its name before anybody begins it. Absent: all have begun. */
  readonly next?: BackfillLaunch;
}

export interface BackfillLaunch {
  readonly slotMs: EpochMs;
  readonly forSlotMs: EpochMs;
}

export interface ManualLaunch extends StandsFor {
  /** The moment it was asked for, made unique: its slot. */
  readonly slotMs: EpochMs;
  /** The caller's key: asking twice with one key launches once. */
  readonly key?: string;
  /** In place of the task's input. */
  readonly input?: unknown;
  /** Launches before it in its chain. Absent: it was not launched by another task. */
  readonly depth?: number;
}

/** A node of older runs beside the record. */
export interface Chunk {
  /** Its number: the last part of its path. */
  readonly index: number;
  /** Runs in it. */
  readonly count: number;
  /** The latest slot of the schedule that they tell of. Absent: from an older program. */
  readonly untilMs?: EpochMs;
}

/** What a run was granted. */
export interface Granted {
  /** Origins that it could fetch from. */
  readonly fetch: readonly string[];
  /** Functions of the embedding program that it could call. */
  readonly call: readonly string[];
}

/** What a run saw, as far as it cannot be found elsewhere. Bounded as a whole. */
export interface Seen {
  /** Absent: null. */
  readonly state?: unknown;
  /** Where the launch was asked for with an input of its own. */
  readonly input?: unknown;
  /** Of its host calls; absent: it made none. */
  readonly answers?: readonly RecordedAnswer[];
}

/** With what its record says anyway, this is all that it takes to repeat a run. */
export interface Given {
  /** Hash of the code that ran. */
  readonly code: string;
  /** `startedMs` is later by this than the moment at which `Date.now()` began inside. Absent: 0. */
  readonly waitedMs?: number;
  /** What its manifest asked for and the program had. Absent: nothing. */
  readonly granted?: Granted;
  /** Absent: there was nothing to see. `too-large`: it was dropped, and the run cannot be repeated. */
  readonly seen?: Seen | 'too-large';
}

/**
 * One attempt, or a range of slots that was decided without a run. Times in epoch ms. What it was given is absent where
 * nothing ran, and in records of older programs.
 */
export interface RunRecord extends Partial<Given>, StandsFor {
  readonly slotMs: EpochMs;
  readonly attempt: number;
  readonly status: RunStatus;
  readonly startedMs: EpochMs;
  readonly finishedMs: EpochMs;
  readonly fence: number;
  /** Of the definition that ran. */
  readonly revision: number;
  readonly output?: unknown;
  readonly error?: RunError;
  readonly logs?: readonly string[];
  /** Output or logs were cut. */
  readonly truncated?: true;
  /** Set while the launch is not finished: when its next attempt is due. */
  readonly retryMs?: EpochMs;
  /** The slot to which the run has moved the schedule: those before it are left out. */
  readonly movedMs?: EpochMs;
  /** For one asked for by hand: the first slot that it could leave out. */
  readonly movedFromMs?: EpochMs;
  /** Asked for by hand. */
  readonly manual?: true;
  /** For `skipped`: the last slot of the range and how many there were. */
  readonly lastSlotMs?: EpochMs;
  readonly count?: number;
  /** Why it was skipped, or why its end is not known. */
  readonly reason?: string;
}

/** All runs in the record. Stored ones that make no sense are left out: whoever launches goes on without them. */
export const runsIn = ({ runs, unread }: Pick<TaskRecord, 'runs' | 'unread'>): readonly RunRecord[] =>
  unread === undefined ? runs : [...runs, ...unread.runs.flatMap(runOfLine)];

function runOfLine(line: string): RunRecord[] {
  try {
    const run: unknown = JSON.parse(line);
    return isRunSound(run) ? [run as RunRecord] : [];
  } catch {
    return [];
  }
}

export const isRemoved = (record: TaskRecord): boolean => record.ended === 'removed';

/** A pause holds up launches of the schedule and those for events, and not those that were asked for by hand. */
const isHeldUp = (task: Task, manual: ManualLaunch | undefined): boolean =>
  task.paused && (manual === undefined || manual.eventId !== undefined);

/** The launch to try again. */
export const retryOf = ({ task, retry }: TaskRecord): PendingRetry | undefined =>
  isHeldUp(task, retry?.manual) ? undefined : retry;

/** The first that waits of those that were asked for by hand, or by events. */
export const nextAsked = ({ task, manual }: TaskRecord): ManualLaunch | undefined =>
  manual.find((asked) => !isHeldUp(task, asked));

/** Whether a launch that was asked for by hand waits to be begun under this name. */
export const isAskedFor = ({ manual, backfill }: TaskRecord, slotMs: EpochMs): boolean =>
  backfill?.next?.slotMs === slotMs || manual.some((asked) => asked.slotMs === slotMs);

/** What the task waits for next, from the rest of the record. A paused task still runs what is asked for by hand. */
export function dueOf(record: TaskRecord): EpochMs | undefined {
  if (isRemoved(record)) return record.updatedMs + TOMBSTONE_MS;
  const retry = retryOf(record);
  if (retry !== undefined) return retry.dueMs;
  const { task, nextSlotMs, backfill } = record;
  const scheduledMs = nextSlotMs === undefined || task.paused ? Infinity : nextSlotMs + spreadOffsetMs(task);
  const backfillMs = backfill?.next === undefined ? Infinity : backfill.askedMs;
  const dueMs = Math.min(nextAsked(record)?.slotMs ?? Infinity, scheduledMs, backfillMs);
  return dueMs === Infinity ? undefined : dueMs;
}

/** The record with its timer set to what it waits for; a new number makes every earlier entry stale. */
export function rearm(record: TaskRecord): TaskRecord {
  const dueMs = dueOf(record);
  const timer = record.timer + 1;
  if (dueMs !== undefined) return { ...record, timer, dueMs };
  const { dueMs: _, ...rest } = record;
  return { ...rest, timer };
}

/** No slot from here on is decided. */
export const undecidedFrom = ({ decidedMs, registeredMs }: TaskRecord): EpochMs =>
  decidedMs === undefined ? registeredMs : decidedMs + 1;

/** The first undecided slot later than `afterMs` that start, end and maxRuns allow. */
export function slotAfter(
  record: Pick<TaskRecord, 'task' | 'registeredMs' | 'launches' | 'decidedMs'>,
  afterMs: EpochMs,
): EpochMs | undefined {
  const { task, registeredMs, launches, decidedMs = -Infinity } = record;
  if (task.maxRuns !== undefined && launches >= task.maxRuns) return undefined;
  const fromMs = Math.max(afterMs, decidedMs, (task.startMs ?? -Infinity) - 1);
  const slotMs = nextSlot(task.schedule, fromMs, registeredMs);
  return slotMs === undefined || slotMs > (task.endMs ?? Infinity) ? undefined : slotMs;
}

/** Whether it goes on when its schedule has come to an end, or has none: for events, or to be launched by others. */
export const outlastsSchedule = ({ schedule, on = [] }: Task): boolean => schedule.kind === 'none' || on.length > 0;

/** Moves the schedule to `slotMs`; without one the task has ended, unless something else may still launch it. */
export function moveTo(record: TaskRecord, slotMs: EpochMs | undefined, why: 'completed' | 'exhausted'): TaskRecord {
  // What every launch comes by, and a copy without some fields costs several times one with all.
  if (slotMs !== undefined && record.ended === undefined) {
    return record.nextSlotMs === slotMs ? record : { ...record, nextSlotMs: slotMs };
  }
  const { nextSlotMs: _, ended: __, ...rest } = record;
  if (slotMs !== undefined) return { ...rest, nextSlotMs: slotMs };
  return why === 'exhausted' && outlastsSchedule(record.task) ? rest : { ...rest, ended: why };
}
