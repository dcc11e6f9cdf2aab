/**
 * The form in which a record is stored: its version, and what goes without saying in it. The usual values belong to the
 * form: they stay as they are when new tasks are to be given other ones.
 */
import type { Task } from './task.ts';

/** Grows when a change of the stored form is not understood by older code. */
export const RECORD_VERSION = 2;

/** Says everything that version 2 leaves out. */
export const OLDER_VERSION = 1;

/** What a task is beside what is its own: nearly all of it is the same in nearly all tasks. */
export type Settings = Omit<Task, 'id' | 'schedule' | 'on' | 'code' | 'input' | 'startMs' | 'endMs' | 'maxRuns'>;

export const DEFAULT_SETTINGS: Settings = {
  spreadMs: 0,
  paused: false,
  labels: {},
  misfire: { policy: 'once', windowMs: 86_400_000, max: 100 },
  overlap: 'skip',
  retry: { attempts: 3, backoffMs: 1_000, factor: 2, maxMs: 3_600_000, jitter: true },
  timeoutMs: 10_000,
  delivery: 'at-least-once',
  capabilities: { fetch: [], call: [] },
  history: 20,
};

/** Lists that are nearly always empty. One that is shared, for nobody changes a record in place. */
export const NONE: readonly never[] = [];
