/**
 * The evaluator port: runs untrusted JavaScript, each run in a state that no other run has touched, and in a time,
 * a memory and a vocabulary that the caller bounds. Runs travel in batches; outcomes come back one by one, so that
 * a slow run holds up nobody.
 */
import type { EpochMs } from './clock.ts';
import type { Outcome, RunError } from './launch.ts';
import type { Fetch } from './outbound.ts';

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

/** Bounds of one run. Each says how a run ends that goes beyond: its `error.class`, and `error.name` where two share one. */
export interface Limits {
  /** Wall-clock time, host calls and waiting included: `Timeout`, named `WallTimeout`. */
  readonly wallMs: number;
  /** Time inside the sandbox: `Timeout`, named `CpuTimeout`. */
  readonly cpuMs: number;
  /** Linear memory in steps of 64 KiB; what the engine itself needs (1.4 MiB) is always there: `Memory`. */
  readonly memoryBytes: number;
  /** The engine's stack: `StackOverflow`. */
  readonly stackBytes: number;
  /** UTF-8 bytes of the source: `SourceTooLarge`. */
  readonly sourceBytes: number;
  /** UTF-8 bytes of the result as JSON: `ResultTooLarge`. */
  readonly resultBytes: number;
  /** UTF-8 bytes of all log lines. What goes beyond is dropped, and the outcome is `truncated`. */
  readonly logBytes: number;
  /** Likewise. */
  readonly logLines: number;
  /** `ctx.call` and `ctx.fetch` of a run together: `HostCallLimit`, thrown where the task can catch it. */
  readonly hostCalls: number;
  /** Host calls pending at a time: `ConcurrencyLimit`, likewise. */
  readonly concurrentCalls: number;
  /** Timers pending at a time: `TimerLimit`, likewise. */
  readonly timers: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE_MS = 60_000;

/** Lowest, default and highest value of each limit. */
export const LIMITS: Readonly<
  Record<keyof Limits, { readonly min: number; readonly std: number; readonly max: number }>
> = {
  wallMs: { min: 1, std: 10_000, max: 15 * MINUTE_MS },
  cpuMs: { min: 1, std: 10_000, max: 15 * MINUTE_MS },
  memoryBytes: { min: MIB, std: 64 * MIB, max: 256 * MIB },
  stackBytes: { min: 16 * KIB, std: 256 * KIB, max: 256 * KIB },
  sourceBytes: { min: 1, std: 64 * KIB, max: MIB },
  resultBytes: { min: 1, std: 64 * KIB, max: MIB },
  logBytes: { min: 0, std: 16 * KIB, max: MIB },
  logLines: { min: 0, std: 200, max: 10_000 },
  hostCalls: { min: 0, std: 100, max: 10_000 },
  concurrentCalls: { min: 0, std: 32, max: 1000 },
  timers: { min: 0, std: 100, max: 10_000 },
};

export const DEFAULT_LIMITS: Limits = {
  wallMs: LIMITS.wallMs.std,
  cpuMs: LIMITS.cpuMs.std,
  memoryBytes: LIMITS.memoryBytes.std,
  stackBytes: LIMITS.stackBytes.std,
  sourceBytes: LIMITS.sourceBytes.std,
  resultBytes: LIMITS.resultBytes.std,
  logBytes: LIMITS.logBytes.std,
  logLines: LIMITS.logLines.std,
  hostCalls: LIMITS.hostCalls.std,
  concurrentCalls: LIMITS.concurrentCalls.std,
  timers: LIMITS.timers.std,
};

/** What a host call came to, and when: with all of them, a run can be repeated without asking anybody. */
export interface RecordedAnswer {
  /** The run's first host call is 1. */
  readonly call: number;
  /** Digest of what was asked. A repeated run that asks something else has diverged. */
  readonly request: string;
  /** When the run saw it, in ms of the run's own time; 0 where it saw none. */
  readonly atMs: number;
  /** `V` and a value as JSON, `E` and an error's message, `D` and why it was denied; empty: none before the run's end. */
  readonly answer: string;
}

/** Characters of a run's recorded answers and their digests. Beyond, none is kept. */
export const ANSWERS_CHARS_MAX = 64 * KIB;

export interface Run {
  readonly program: Program;
  readonly context: RunContext;
  /**
   * `Date.now()` inside starts here. It stands still while the task computes, but for a microsecond with every look at
   * it, and moves on when the run is woken by a timer or an answer: so a run that is repeated sees the same times.
   */
  readonly nowMs: EpochMs;
  /**
   * Not to begin sooner than so many ms from now. A worker begins its runs in the order in which they come, so those
   * behind it wait as well: good for moments, and for callers who hand over what is due next. Default 0.
   */
  readonly delayMs?: number;
  /** Any text. `Math.random` and `crypto` inside give the same numbers for the same seed. */
  readonly seed: string;
  readonly limits: Limits;
  /** Own properties only; a name that is not here is denied. */
  readonly capabilities: Readonly<Record<string, Capability>>;
  /** What `ctx.fetch` does. Absent: it is denied. */
  readonly fetch?: Fetch;
  /** Repeats a run: these are the answers of its host calls, nobody is asked, and nothing waits for real time. */
  readonly answers?: readonly RecordedAnswer[];
}

export interface Started {
  /** When the run began inside the worker, epoch ms with fractions. */
  readonly startedMs: number;
  /** False where it is certain that the run never began. */
  readonly hasStarted?: false;
  /** Of its host calls, in the order in which it saw them. Absent when it made none. */
  readonly answers?: readonly RecordedAnswer[] | 'too-large';
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
