/** Verifies every task of a namespace, some at a time: each on a record and a history that belong together. */
import type { EpochMs } from './clock.ts';
import type { Session } from './coordinator.ts';
import { invalidDocument } from './document.ts';
import { received } from './errors.ts';
import { decodeChunk } from './history.ts';
import { formatInstant, parseInstant } from './instant.ts';
import type { Layout } from './layout.ts';
import { isRemoved, type RunRecord, type TaskRecord } from './record.ts';
import { bucketNames } from './shard.ts';
import { isLoaded, loadRecords } from './store.ts';
import { type Bounds, type SlotProblem, verifyTask } from './verify.ts';

export interface VerifyOptions {
  /** ISO instant: no earlier slots. Default: as far back as the records of each task go. */
  readonly from?: string;
  /** ISO instant: no later slots. Default: now. */
  readonly to?: string;
  /** Only tasks whose ids begin with this. */
  readonly prefix?: string;
}

/** What the records of all tasks prove. */
export interface Verification {
  /** Whether no slot is missing, doubled or unexpected. */
  readonly holds: boolean;
  readonly tasks: number;
  /** Slots that were looked for, and what was found: `slots` = launched + skipped + open + missing. */
  readonly slots: number;
  readonly launched: number;
  readonly skipped: number;
  /** Waiting for another attempt. */
  readonly open: number;
  /** At most 1,000. */
  readonly problems: readonly TaskProblem[];
  /** Tasks of which less can be proven than was asked for. At most 1,000. */
  readonly notProven: readonly NotProven[];
  readonly to: string;
}

export interface TaskProblem {
  readonly taskId: string;
  /** ISO */
  readonly slot: string;
  readonly problem: SlotProblem['problem'];
  readonly detail: string;
}

export interface NotProven {
  readonly taskId: string;
  /** ISO: from here on it is proven. Absent: nothing is. */
  readonly since?: string;
  readonly reason: string;
}

export interface VerificationDeps {
  readonly session: Session;
  readonly layout: Layout;
  /** The coordinator's time. */
  readonly now: () => Promise<EpochMs>;
}

const TASKS_AT_ONCE = 100;
const LISTED_MAX = 1_000;

/** How often a task is read that changes meanwhile. */
const READS_MAX = 10;

/** @throws CronkeeperError `invalid` for an instant that is none. */
export async function verifyAll(deps: VerificationDeps, options: VerifyOptions = {}): Promise<Verification> {
  const { session, layout } = deps;
  const { prefix = '' } = options;
  const nowMs = await deps.now();
  const untilMs = instantOf('to', options.to) ?? nowMs;
  const fromMs = instantOf('from', options.from);
  const bounds: Bounds = { untilMs, nowMs, ...(fromMs !== undefined && { fromMs }) };
  const sum = new Sum(untilMs);
  for (const bucket of bucketNames) {
    const names = ((await session.children(layout.taskBucket(bucket))) ?? []).filter((id) => id.startsWith(prefix));
    for (let i = 0; i < names.length; i += TASKS_AT_ONCE) {
      const ids = names.slice(i, i + TASKS_AT_ONCE);
      await Promise.all(ids.map(async (id) => sum.add(id, await readTask(deps, id), bounds)));
    }
  }
  return sum.verification();
}

function instantOf(field: string, text: string | undefined): EpochMs | undefined {
  if (text === undefined) return undefined;
  try {
    return parseInstant(text);
  } catch {
    const message = `received ${received(text)}; allowed: an ISO 8601 instant with an offset`;
    throw invalidDocument('verification', [{ field, message }]);
  }
}

interface History {
  readonly record: TaskRecord;
  readonly runs: readonly RunRecord[];
}

/** A task and all its runs as they were at one moment; a sentence when they cannot be read; nothing for no task. */
async function readTask({ session, layout }: VerificationDeps, id: string): Promise<History | string | undefined> {
  for (let read = 1; read <= READS_MAX; read++) {
    const [found] = await loadRecords(session, layout, [id]);
    if (found === undefined) return undefined;
    if (!isLoaded(found)) return found.message;
    const { record, version } = found;
    if (isRemoved(record)) return undefined;
    if (record.chunks.length === 0) return { record, runs: record.runs };
    const paths = record.chunks.map(({ index }) => layout.chunk(id, index));
    const [node, ...chunks] = await session.getMany([layout.task(id), ...paths]);
    if (node?.version !== version) continue;
    const older = chunks.map((chunk) => decodeChunk(chunk?.data ?? ''));
    const isWhole = record.chunks.every(({ count }, i) => older[i]?.length === count);
    if (!isWhole) return 'its history cannot be read';
    return { record, runs: [...record.runs, ...older.flat()] };
  }
  return `it changed ${READS_MAX} times while it was read`;
}

class Sum {
  readonly #untilMs: EpochMs;
  readonly #problems: TaskProblem[] = [];
  readonly #notProven: NotProven[] = [];
  readonly #counts = { tasks: 0, slots: 0, launched: 0, skipped: 0, open: 0 };
  #holds = true;

  constructor(untilMs: EpochMs) {
    this.#untilMs = untilMs;
  }

  add(taskId: string, read: History | string | undefined, bounds: Bounds): void {
    if (read === undefined) return;
    this.#counts.tasks++;
    if (typeof read === 'string') {
      this.#leave({ taskId, reason: read });
      return;
    }
    const { problems, sinceMs, because, ...counts } = verifyTask(read.record, read.runs, bounds);
    for (const key of ['slots', 'launched', 'skipped', 'open'] as const) this.#counts[key] += counts[key];
    if (because === 'history' || (because === 'registered' && bounds.fromMs !== undefined)) {
      const reason = because === 'history' ? 'its older records are not kept' : 'its schedule was set then';
      this.#leave({ taskId, since: formatInstant(sinceMs), reason });
    }
    for (const { slotMs, problem, detail } of problems) {
      if (problem !== 'overdue') this.#holds = false;
      if (this.#problems.length < LISTED_MAX) {
        this.#problems.push({ taskId, slot: formatInstant(slotMs), problem, detail });
      }
    }
  }

  #leave(notProven: NotProven): void {
    if (this.#notProven.length < LISTED_MAX) this.#notProven.push(notProven);
  }

  verification(): Verification {
    const byTask = (a: { taskId: string }, b: { taskId: string }) => (a.taskId < b.taskId ? -1 : 1);
    return {
      holds: this.#holds,
      ...this.#counts,
      problems: this.#problems.sort(byTask),
      notProven: this.#notProven.sort(byTask),
      to: formatInstant(this.#untilMs),
    };
  }
}
