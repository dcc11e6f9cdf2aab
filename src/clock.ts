/**
 * The door to time and chance: every other module receives a {@link Clock} and a {@link Random} as arguments, so that
 * tests and simulations decide what time it is. No other file may touch `Date.now`, timers or `Math.random`.
 */
import { randomUUID } from 'node:crypto';

/** Milliseconds since the Unix epoch, UTC. */
export type EpochMs = number;

/** Uniform in [0, 1). */
export type Random = () => number;

/** Stops a timer; harmless when it has already fired. */
export type Cancel = () => void;

export interface Clock {
  /** Wall-clock time. May jump; right for schedules, wrong for deadlines. */
  now(): EpochMs;
  /** Monotonic milliseconds from an arbitrary origin. Never jumps; right for deadlines and durations. */
  elapsed(): number;
  /** Calls `fire` once, no earlier than `delayMs` of monotonic time from now. */
  after(delayMs: number, fire: () => void, options?: TimerOptions): Cancel;
}

export interface TimerOptions {
  /** Whether the process may end while this timer is waiting. Default: false. */
  readonly background?: boolean;
}

/** Node's timers cannot wait longer than this (a signed 32-bit number of milliseconds, about 24.8 days). */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, fire, { background = false } = {}) {
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), TIMER_MAX_MS));
    if (background) timer.unref();
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = () => Math.random();

/** Calls `run` when everything that is ready by now has been handled: the end of this turn of the event loop. */
export const atEndOfTurn = (run: () => void): void => {
  setImmediate(run);
};

/** Calls `run` when what is ready by now has been handled, and what that made ready, but before anything new comes in. */
export const afterMicrotasks = (run: () => void): void => {
  process.nextTick(run);
};

/** A name nobody else has: for sessions and lease holders, never for launches (those have natural keys). */
export const uniqueToken = (): string => randomUUID();

/** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
