/** A task's record as the text of its node, and back. What goes without saying is left out of it. */
import type { EpochMs } from './clock.ts';
import { CronkeeperError, messageOf } from './errors.ts';
import type { TaskRecord } from './record.ts';
import { NONE, OLDER_VERSION, RECORD_VERSION } from './record-form.ts';
import { joinLines, splitLines, type Unread, withSettings } from './record-lines.ts';
import { recordProblem } from './soundness.ts';

export function encodeRecord(record: TaskRecord): string {
  const { task, runs, unread, createdMs, updatedMs, registeredMs, nextSlotMs, dueMs = null } = record;
  const { manual, asked, chunks, deadSlots, launches, state } = record;
  const rest = JSON.stringify({
    ...record,
    ...{ v: undefined, task: undefined, runs: undefined, unread: undefined },
    updatedMs: updatedMs === createdMs ? undefined : updatedMs,
    registeredMs: registeredMs === createdMs ? undefined : registeredMs,
    dueMs: dueMs === (nextSlotMs ?? null) ? undefined : dueMs,
    manual: orNone(manual),
    asked: orNone(asked),
    chunks: orNone(chunks),
    deadSlots: orNone(deadSlots),
    launches: launches === 0 ? undefined : launches,
    state: state === null ? undefined : state,
  });
  const lines = runs.map((run) => JSON.stringify(run));
  return joinLines(task, rest, lines, unread);
}

const orNone = <Each>(list: readonly Each[]): readonly Each[] | undefined => (list.length === 0 ? undefined : list);

/** Whether a newer version wrote this: then it is not ours to throw away. */
export function isNewer(text: string): boolean {
  try {
    const { v } = JSON.parse(text) as { v?: unknown };
    return typeof v === 'number' && v > RECORD_VERSION;
  } catch {
    return false;
  }
}

/**
 * @throws CronkeeperError `corrupt` when the text is not a record, or one that a newer version wrote. The text is
 * left alone in either case: whoever reads it puts the task aside and goes on with the others.
 */
export function decodeRecord(id: string, text: string): TaskRecord {
  const value = parsedOr<unknown>(id, () => JSON.parse(text));
  return soundRecord(id, value);
}

/**
 * The same for a launch, which leaves the runs unread. Nothing in them can do it harm before they are read, and then
 * what makes no sense is left out: see {@link runsIn}.
 */
export function decodeForLaunch(id: string, text: string): TaskRecord {
  const lines = splitLines(text);
  if (lines === undefined) return decodeRecord(id, text);
  const { head, taskText, runs } = lines;
  const value = parsedOr<unknown>(id, () => JSON.parse(head));
  return soundRecord(id, value, { taskText, runs });
}

function parsedOr<Value>(id: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    throw new CronkeeperError('corrupt', `task ${id}: its node holds no JSON: ${messageOf(error)}`);
  }
}

function soundRecord(id: string, value: unknown, unread?: Omit<Unread, 'task'>): TaskRecord {
  const problem = recordProblem(id, value);
  if (problem !== undefined) throw new CronkeeperError('corrupt', `task ${id}: ${problem}`);
  return completed(value as Stored, unread);
}

/** A record as its node holds it. */
interface Stored extends Omit<Partial<TaskRecord>, 'v' | 'task' | 'dueMs'> {
  readonly v: typeof OLDER_VERSION | typeof RECORD_VERSION;
  readonly task: object;
  /** Those of the task that are not the usual ones. */
  readonly settings?: object;
  /** Null: there is none. Absent: it is the next slot. */
  readonly dueMs?: EpochMs | null;
}

/** With what goes without saying. */
function completed(stored: Stored, unread: Omit<Unread, 'task'> | undefined): TaskRecord {
  const { createdMs, dueMs, nextSlotMs, settings } = stored;
  if (stored.v === OLDER_VERSION) {
    return { ...stored, v: RECORD_VERSION, dueMs: dueMs ?? undefined } as unknown as TaskRecord;
  }
  const task = withSettings(stored.task, settings);
  const record = {
    ...{ updatedMs: createdMs, registeredMs: createdMs, launches: 0, state: null },
    ...{ manual: NONE, asked: NONE, chunks: NONE, deadSlots: NONE, runs: NONE },
    ...stored,
    task,
    dueMs: dueMs === null ? undefined : (dueMs ?? nextSlotMs),
    unread: unread === undefined ? undefined : { task, ...unread },
  } as unknown as TaskRecord;
  return settings === undefined ? record : ({ ...record, settings: undefined } as TaskRecord);
}
