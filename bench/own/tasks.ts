/** The documents that are measured: about 500 bytes each, as a job of a peer has. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cronkeeper } from '../../src/app.ts';
import type { TaskDocument } from '../../src/task.ts';

/** Where our side measures. */
export interface OwnPlace {
  readonly url: string;
  /** Of the ZooKeeper servers. */
  readonly serverPids: readonly number[];
}

const DOCUMENT_BYTES = 500;

export interface DueTasks {
  readonly prefix: string;
  readonly count: number;
  /** Different pieces of code among them. */
  readonly sources: number;
  /** When all of them are due for the first time; an hour later they are due again. */
  readonly dueAtMs: number;
}

export const dueTasks = ({ prefix, count, sources, dueAtMs }: DueTasks): TaskDocument[] =>
  Array.from({ length: count }, (_, i) =>
    noOpTask(`${prefix}${i}`, { every: '1h', anchor: isoOf(dueAtMs) }, { source: i % sources }),
  );

const HOUR_MS = 3_600_000;
const FAR_MS = 30 * 86_400_000;

/** Recurring, and due for the first time a month from now or later, at different times. */
export const farTasks = (prefix: string, from: number, count: number): TaskDocument[] => {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, i) => {
    const start = isoOf(nowMs + FAR_MS * (1 + Math.random()));
    return noOpTask(`${prefix}${from + i}`, { every: '1h', anchor: start }, { start });
  });
};

/** Of every hour, each at a moment of its own in it. */
export const hourlyTasks = (prefix: string, count: number): TaskDocument[] => {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, i) =>
    noOpTask(`${prefix}${i}`, { every: '1h', anchor: isoOf(nowMs + HOUR_MS * Math.random()) }),
  );
};

export function noOpTask(
  id: string,
  schedule: NonNullable<TaskDocument['schedule']>,
  /** Which of the pieces of code, and the instant before which nothing is due. */
  { source = 0, start }: { readonly source?: number; readonly start?: string } = {},
): TaskDocument {
  const code = `export default async (ctx) => {}; // ${source}`;
  return padded({ id, schedule, code, ...(start !== undefined && { start }) });
}

/** Makes the namespace, and has the sandbox check the code: seconds on a crowded machine, in which what is put next would be due. */
export const warmUp = (keeper: Cronkeeper): Promise<unknown> => keeper.tasks.putMany(farTasks('warm-', 0, 1));

/** Its input makes it as long as it is to be. */
function padded(task: TaskDocument): TaskDocument {
  const missing = DOCUMENT_BYTES - JSON.stringify({ ...task, input: { pad: '' } }).length;
  return { ...task, input: { pad: 'x'.repeat(Math.max(0, missing)) } };
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

/** Of a tick that lingers while it is measured: long enough that it does not end by itself. */
const LINGER_MS = 600_000;

/** A tick that stays until `use` is through; `onRun` hears of each launch. */
export async function whileTicking<T>(
  keeper: Cronkeeper,
  onRun: (taskId: string, run: { readonly slotMs: number; readonly startedMs: number }) => void,
  use: () => Promise<T>,
): Promise<T> {
  const stopped = new AbortController();
  const ticking = keeper.tick({ lingerMs: LINGER_MS, signal: stopped.signal, onRun });
  const early = ticking.then(() => Promise.reject(new Error('the tick ended early')));
  try {
    return await Promise.race([use(), early]);
  } finally {
    early.catch(() => undefined); // it is to end now
    stopped.abort();
    await ticking.catch(() => undefined);
  }
}

/** Until the local clock says so. */
export const untilMs = (ms: number): Promise<void> => delay(Math.max(0, ms - Date.now()));
