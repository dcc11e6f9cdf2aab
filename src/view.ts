/** How tasks and runs are shown to users: plain JSON, times in ISO UTC, durations as they are written. Pure. */
import { type Destinations, destinationsOf } from './destination.ts';
import { formatDuration } from './duration.ts';
import type { EventRule } from './event-rules.ts';
import { formatInstant } from './instant.ts';
import { launchId, type RunError, type RunStatus } from './launch.ts';
import type { Granted, RunRecord, TaskRecord } from './record.ts';
import { SEEN_TOO_MUCH } from './recording.ts';
import type { Schedule, ScheduleDocument } from './schedule.ts';
import type { Task } from './task.ts';

export type TaskStatus = 'active' | 'paused' | 'completed' | 'quarantined';
export const TASK_STATUSES = ['active', 'paused', 'completed', 'quarantined'] as const;

/** A task document in full, with where the task stands. `code` is left out of lists. */
export interface TaskView extends Destinations {
  readonly id: string;
  /** Absent: it is launched by events, by hand or by other tasks alone. */
  readonly schedule?: ScheduleDocument;
  /** Events that launch it. */
  readonly on?: readonly EventRule[];
  readonly code?: string;
  readonly codeHash: string;
  readonly input: unknown;
  readonly start?: string;
  readonly end?: string;
  readonly maxRuns?: number;
  readonly spread: string;
  readonly paused: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly misfire: { readonly policy: string; readonly window: string; readonly max: number };
  readonly overlap: string;
  readonly retry: {
    readonly attempts: number;
    readonly backoff: string;
    readonly factor: number;
    readonly max: string;
    readonly jitter: boolean;
  };
  readonly timeout: string;
  readonly delivery: string;
  readonly capabilities: { readonly fetch: readonly string[]; readonly call: readonly string[] };
  readonly history: number;
  readonly status: TaskStatus;
  /** Of the definition; the ETag. */
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When it runs next; null when nothing is to come. */
  readonly nextAt: string | null;
  /** Launches of the schedule that came to an end. */
  readonly launches: number;
  readonly state: unknown;
  readonly lastRun: Run | null;
  readonly deadLetters: number;
  /** The backfill under way: slots from `next` to `to` are still to be launched. */
  readonly backfill?: { readonly from: string; readonly to: string; readonly count: number; readonly next: string };
}

/** A task whose record cannot be read: left alone, and said. */
export interface QuarantinedView {
  readonly id: string;
  readonly status: 'quarantined';
  readonly problem: string;
}

/** One attempt at a launch, or a range of slots that was decided without one. */
export interface Run {
  readonly launchId: string;
  readonly slot: string;
  readonly attempt: number;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Start behind the slot, ms. */
  readonly lateMs: number;
  readonly durationMs: number;
  readonly fence: number;
  /** Of the definition that ran. */
  readonly revision: number;
  /** Hash of the code that ran. */
  readonly codeHash?: string;
  /** What it was granted: its manifest asked for it, and the program had it. Absent: nothing. */
  readonly granted?: Granted;
  /** Why this run cannot be replayed, though it ran. */
  readonly notReplayable?: string;
  readonly output?: unknown;
  readonly error?: RunError;
  readonly logs?: readonly string[];
  readonly truncated?: true;
  /** The launch is not finished: its next attempt is due then. */
  readonly retryAt?: string;
  /** Not of the schedule: asked for by hand, or for an event. */
  readonly manual?: true;
  /** What `ctx.slot` was, where it is not the launch's own: the slot of the past that is made up for. */
  readonly forSlot?: string;
  /** The event that it was launched for. */
  readonly eventId?: string;
  /** The launch that failed for good, and that this one repeats. */
  readonly redriveOf?: string;
  readonly reason?: string;
  /** The slot to which the run has moved the schedule, by its `nextAt`. */
  readonly movedTo?: string;
  /** For a range of skipped slots: the last of them, and how many. */
  readonly lastSlot?: string;
  readonly count?: number;
}

export function runView(taskId: string, run: RunRecord): Run {
  const { slotMs, startedMs, finishedMs, retryMs, lastSlotMs, attempt, status, fence, revision, ...others } = run;
  const { code, waitedMs: _, seen, movedMs, forSlotMs, redriveOfMs, keyMs: __, ...rest } = others;
  return {
    launchId: launchId(taskId, slotMs),
    slot: formatInstant(slotMs),
    attempt,
    status,
    startedAt: formatInstant(startedMs),
    finishedAt: formatInstant(finishedMs),
    lateMs: startedMs - slotMs,
    durationMs: finishedMs - startedMs,
    fence,
    revision,
    ...(code !== undefined && { codeHash: code }),
    ...rest,
    ...(forSlotMs !== undefined && { forSlot: formatInstant(forSlotMs) }),
    ...(redriveOfMs !== undefined && { redriveOf: launchId(taskId, redriveOfMs) }),
    ...(seen === 'too-large' && { notReplayable: SEEN_TOO_MUCH }),
    ...(retryMs !== undefined && { retryAt: formatInstant(retryMs) }),
    ...(lastSlotMs !== undefined && { lastSlot: formatInstant(lastSlotMs) }),
    ...(movedMs !== undefined && { movedTo: formatInstant(movedMs) }),
  };
}

export const statusOf = ({ task, ended }: TaskRecord): TaskStatus =>
  ended !== undefined ? 'completed' : task.paused ? 'paused' : 'active';

export function taskView(record: TaskRecord, source?: string): TaskView {
  const { task, dueMs, runs } = record;
  const last = runs[0];
  return {
    id: task.id,
    ...definitionView(task, source),
    status: statusOf(record),
    revision: record.revision,
    createdAt: formatInstant(record.createdMs),
    updatedAt: formatInstant(record.updatedMs),
    nextAt: dueMs === undefined ? null : formatInstant(dueMs),
    launches: record.launches,
    state: record.state,
    lastRun: last === undefined ? null : runView(task.id, last),
    deadLetters: record.deadSlots.length,
    ...backfillView(record),
  };
}

function backfillView({ backfill }: TaskRecord): Pick<TaskView, 'backfill'> {
  if (backfill?.next === undefined) return {};
  const { fromMs, untilMs, count, next } = backfill;
  const [from, to] = [formatInstant(fromMs), formatInstant(untilMs)];
  return { backfill: { from, to, count, next: formatInstant(next.forSlotMs) } };
}

function definitionView(task: Task, source: string | undefined) {
  const { misfire, retry } = task;
  const schedule = scheduleView(task.schedule);
  return {
    ...(schedule !== undefined && { schedule }),
    ...(task.on !== undefined && { on: task.on }),
    ...(source !== undefined && { code: source }),
    codeHash: task.code.hash,
    input: task.input,
    ...(task.startMs !== undefined && { start: formatInstant(task.startMs) }),
    ...(task.endMs !== undefined && { end: formatInstant(task.endMs) }),
    ...(task.maxRuns !== undefined && { maxRuns: task.maxRuns }),
    spread: formatDuration(task.spreadMs),
    paused: task.paused,
    labels: task.labels,
    misfire: { policy: misfire.policy, window: formatDuration(misfire.windowMs), max: misfire.max },
    overlap: task.overlap,
    retry: {
      attempts: retry.attempts,
      backoff: formatDuration(retry.backoffMs),
      factor: retry.factor,
      max: formatDuration(retry.maxMs),
      jitter: retry.jitter,
    },
    timeout: formatDuration(task.timeoutMs),
    delivery: task.delivery,
    capabilities: task.capabilities,
    history: task.history,
    ...destinationsOf(task),
  };
}

/** As its document says it; nothing for none. */
export function scheduleView(schedule: Schedule): ScheduleDocument | undefined {
  switch (schedule.kind) {
    case 'cron':
      return { cron: schedule.expression, timeZone: schedule.timeZone, dst: schedule.dst };
    case 'every':
      return {
        every: formatDuration(schedule.everyMs),
        ...(schedule.anchorMs !== 0 && { anchor: formatInstant(schedule.anchorMs) }),
      };
    case 'at':
      return { at: formatInstant(schedule.atMs) };
    case 'after':
      return { after: formatDuration(schedule.afterMs) };
    case 'none':
      return undefined;
  }
}
