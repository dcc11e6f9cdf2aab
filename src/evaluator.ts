/**
 * The evaluator port: runs untrusted JavaScript, each run in a state that no other run has touched, and in a time,
 * a memory and a vocabulary that the caller bounds. Runs travel in batches; outcomes come back one by one, so that
 * a slow run holds up nobody.
 */
import type { EpochMs } from './clock.ts';
import type { Outcome, RunError } from './launch.ts';

/** `module`: ES module with a default export. `script`: the completion value is the result. */
export type CodeKind = 'module' | 'script';

/** Source text and its name. Equal `hash` means equal `kind` and `source`: compiled forms are cached under it. */
export interface Program {
  readonly hash: string;
  readonly kind: CodeKind;
  readonly source: string;
}

/** A function of the embedding program that task code may `ctx.call`. Arguments and result are JSON values. */
export type Capability = (...args: never[]) => unknown;

/** What `ctx` shows to the task. All of it is data. */
export interface RunContext {
  readonly taskId: string;
  readonly slotMs: EpochMs;
  readonly attempt: number;
  readonly fence: number;
  readonly idempotencyKey: string;
  /** JSON value. */
  readonly input: unknown;
  /** JSON value; null before the first run. */
  readonly state: unknown;
}

export interface Limits {
  /** Wall-clock time of a run, host calls and waiting included. Default 10,000. */
  readonly wallMs: number;
  /** Time inside the sandbox. Default: `wallMs`. */
  readonly cpuMs: number;
  /** Linear memory of a run, bytes, in steps of 64 KiB. Default 64 MiB. */
  readonly memoryBytes: number;
  /** UTF-8 bytes of the source. Default 64 KiB. */
  readonly sourceBytes: number;
  /** UTF-8 bytes of the result as JSON. Default 64 KiB. */
  readonly resultBytes: number;
  /** UTF-8 bytes of all log lines. Default 16 KiB; what goes beyond is dropped and flagged. */
  readonly logBytes: number;
  /** Default 200. */
  readonly logLines: number;
  /** `ctx.call` and `ctx.fetch` of a run together. Default 100. */
  readonly hostCalls: number;
  /** Timers pending at a time. Default 100. */
  readonly timers: number;
}

export const DEFAULT_LIMITS: Limits = {
  wallMs: 10_000,
  cpuMs: 10_000,
  memoryBytes: 64 * 1024 * 1024,
  sourceBytes: 64 * 1024,
  resultBytes: 64 * 1024,
  logBytes: 16 * 1024,
  logLines: 200,
  hostCalls: 100,
  timers: 100,
};

export interface Run {
  readonly program: Program;
  readonly context: RunContext;
  /** `Date.now()` inside starts here and moves on with the run's own time. */
  readonly nowMs: EpochMs;
  /** Feeds `Math.random` and `crypto` inside; the same seed gives the same numbers. */
  readonly seed: number;
  readonly limits: Limits;
  /** Own properties only; a name that is not here is denied. */
  readonly capabilities: Readonly<Record<string, Capability>>;
}

export interface Started {
  /** When the run began inside the worker, epoch ms with fractions. */
  readonly startedMs: number;
  /** False where it is certain that the run never began. */
  readonly hasStarted?: false;
}

export type OutcomeListener = (index: number, outcome: Outcome & Started) => void;

export interface Evaluator {
  /**
   * Runs a batch. `onOutcome` is called exactly once per run, in any order; the promise resolves after the last. Guest
   * faults are outcomes; it rejects only when the evaluator is closed or broken. When `signal` aborts, what has not
   * finished ends as `Cancelled`.
   */
  run(batch: readonly Run[], onOutcome: OutcomeListener, signal?: AbortSignal): Promise<void>;
  /** Parses without running: the error that storing this code should be refused with, if any. */
  check(program: Program): Promise<RunError | undefined>;
  close(): Promise<void>;
}
