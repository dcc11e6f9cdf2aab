/** One task's life, told in minutes, and what its records prove. */
import type { TaskDocument } from '../../src/task.ts';
import { type Bounds, type Verdict, verifyTask } from '../../src/verify.ts';
import { LoneEngine } from './lone-engine.ts';
import { at, succeeding, taskOf } from './task-records.ts';

export const START_MS = at('2027-01-01T00:00:00Z');
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;

export const minute = (minutes: number): number => START_MS + minutes * MINUTE_MS;
export const iso = (minutes: number): string => new Date(minute(minutes)).toISOString();

export const engineOf = (document: Partial<TaskDocument> = {}, startMs = START_MS): LoneEngine =>
  new LoneEngine(taskOf(document), startMs);

export const verdictOf = (engine: LoneEngine, bounds: Partial<Bounds> = {}): Verdict =>
  verifyTask(engine.record, engine.kept(), { untilMs: engine.nowMs, nowMs: engine.nowMs, ...bounds });

export const drain = (engine: LoneEngine, value?: unknown): void =>
  engine.drain({ outcome: succeeding(value), lasts: 0 });

/** Lets time pass, and does what is due every minute. */
export function work(engine: LoneEngine, minutes: number): void {
  for (let i = 0; i < minutes; i++) {
    engine.pass(MINUTE_MS);
    drain(engine);
  }
}

/** Lets time pass in which nothing ticks, and does what is due then. */
export function outage(engine: LoneEngine, minutes: number): void {
  engine.pass(minutes * MINUTE_MS);
  drain(engine);
}

/** The first slot, whose run comes to this. */
export function first(engine: LoneEngine, value: unknown): void {
  engine.pass(MINUTE_MS);
  engine.step({ outcome: succeeding(value), lasts: 0 });
}

export function pauseFor(engine: LoneEngine, minutes: number): void {
  engine.pause();
  engine.pass(minutes * MINUTE_MS);
  engine.resume();
}

export type Counts = Partial<Pick<Verdict, 'slots' | 'launched' | 'skipped' | 'open' | 'because' | 'sinceMs'>>;
export type Story = (engine: LoneEngine) => void;
