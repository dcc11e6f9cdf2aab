/**
 * A launch is one (task, slot); a run is one attempt at it. Their names are natural keys: whoever computes them
 * gets the same ones, so a successor can tell what its predecessor had started.
 */
import type { EpochMs } from './clock.ts';

/** What a launch or an attempt came to. `skipped` and `uncertain` never ran, or are not known to have run to an end. */
export type RunStatus = 'succeeded' | 'failed' | 'timed-out' | 'skipped' | 'uncertain';

/** `<taskId>@<slotMs>`: the launch's name, and its idempotency key unless it repeats another. Task ids hold no `@`. */
export const launchId = (taskId: string, slotMs: EpochMs): string => `${taskId}@${slotMs}`;

/** The task of a launch id. */
export const taskOfLaunch = (id: string): string => id.slice(0, id.lastIndexOf('@'));

/** The slot that a launch's name names; undefined for what is no name of this task's launches. */
export function slotOfLaunch(taskId: string, launch: unknown): EpochMs | undefined {
  const slot = typeof launch === 'string' && launch.startsWith(`${taskId}@`) ? launch.slice(taskId.length + 1) : '';
  return /^\d{1,16}$/.test(slot) ? Number(slot) : undefined;
}

/** The seed of an attempt's `Math.random`: whoever repeats it gets the same numbers. */
export const runSeed = (launch: string, attempt: number): string => `${launch}#${attempt}`;

/**
 * Classes of a run's error. `Syntax` … `TimerLimit`: the task's own doing. `EngineTrap`: the sandbox broke, and
 * held. `WorkerLost`: another run took the worker with it; the launch counts as not started. `Cancelled`: the caller
 * gave up. `Diverged`: a repeated run is not the one that was recorded; never of a launch.
 */
export const RUN_ERROR_CLASSES = [
  'Syntax',
  'Thrown',
  'Stalled',
  'Timeout',
  'Memory',
  'StackOverflow',
  'ResultTooLarge',
  'ResultNotSerializable',
  'CapabilityDenied',
  'SourceTooLarge',
  'HostCallLimit',
  'ConcurrencyLimit',
  'TimerLimit',
  'EngineTrap',
  'WorkerLost',
  'Cancelled',
  'Diverged',
] as const;

export type RunErrorClass = (typeof RUN_ERROR_CLASSES)[number];

export interface RunError {
  readonly class: RunErrorClass;
  /** The error's own name, such as `TypeError`. */
  readonly name: string;
  readonly message: string;
  /** Lines of the task's own code, `task.js:LINE:COL`; never a path of the host. */
  readonly stack?: string;
}

export interface RunUsage {
  /** From start to outcome, ms. */
  readonly wallMs: number;
  /** Inside the sandbox, ms. */
  readonly cpuMs: number;
  /** Highest linear memory of the run, bytes. */
  readonly peakBytes: number;
  readonly hostCalls: number;
}

/** What one run came to. Plain data: strings crossed the boundary, and were parsed outside. */
export interface Outcome {
  readonly status: 'succeeded' | 'failed' | 'timed-out';
  /** The result as JSON, whole; `undefined` becomes null. */
  readonly value?: unknown;
  /** True only for an own property `completed: true` of the result: the task is finished for good. */
  readonly completed?: true;
  /** The result's own `state`: carried to the next run. */
  readonly state?: unknown;
  /** The result's own `nextAt`, as it came: an ISO instant or epoch ms moves the timer. Checked when settled. */
  readonly nextAt?: unknown;
  readonly error?: RunError;
  readonly logs: readonly string[];
  /** Some log lines or bytes were dropped. */
  readonly truncated: boolean;
  readonly usage: RunUsage;
}
