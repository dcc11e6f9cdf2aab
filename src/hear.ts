/** An event becomes a launch of a task, beside its schedule: once for each event, whoever delivers it again. Pure. */
import type { EpochMs } from './clock.ts';
import { rearmed } from './edit.ts';
import { remember, rememberedSlot } from './event-memory.ts';
import { freeSlot } from './free-slot.ts';
import { formatInstant } from './instant.ts';
import type { TaskRecord } from './record.ts';

/** Launches for events that may wait in a task's record at a time: a burst; more come when some have run. */
export const EVENTS_WAITING_MAX = 200;

export interface HeardEvent {
  readonly id: string;
  /** What the launch is given. */
  readonly input: unknown;
}

export interface Heard {
  readonly record: TaskRecord;
  readonly slotMs: EpochMs;
}

/** Why a task is not launched for an event. */
export interface NotHeard {
  /** Goes on from the name of the task. */
  readonly because: string;
  /** The event is to be delivered again; otherwise it is done with. */
  readonly mayPass: boolean;
}

/** Adds a launch that is due at once and leaves the schedule alone. The same event again is the same launch. */
export function hear(record: TaskRecord, nowMs: EpochMs, { id, input }: HeardEvent): Heard | NotHeard {
  const { heard = [], manual } = record;
  const knownMs = rememberedSlot(heard, id);
  if (knownMs !== undefined) return { record, slotMs: knownMs };
  const because = whyDeaf(record, nowMs);
  if (because !== undefined) return { because, mayPass: false };
  const waiting = eventsWaiting(record);
  if (waiting >= EVENTS_WAITING_MAX) return { because: `has ${waiting} launches for events waiting`, mayPass: true };
  const slotMs = freeSlot(record, nowMs);
  const launch = { slotMs, eventId: id, input };
  const next = { ...record, manual: [...manual, launch], heard: remember(heard, id, slotMs, nowMs) };
  return { record: rearmed(next), slotMs };
}

/** As a rule of EventBridge that is disabled: what comes meanwhile is not made up for. */
function whyDeaf({ task, ended }: TaskRecord, nowMs: EpochMs): string | undefined {
  const { startMs = -Infinity, endMs = Infinity, paused } = task;
  if (ended === 'completed') return 'has completed';
  if (nowMs < startMs) return `starts at ${formatInstant(startMs)}`;
  if (nowMs > endMs) return `has ended at ${formatInstant(endMs)}`;
  return paused ? 'is paused' : undefined;
}

export const eventsWaiting = ({ manual }: TaskRecord): number =>
  manual.filter(({ eventId }) => eventId !== undefined).length;
