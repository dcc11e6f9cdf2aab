/** Tasks, records and outcomes for tests, from documents as users write them. */
import type { Outcome } from '../../src/launch.ts';
import { type Plan, plan, type SkippedRange } from '../../src/plan.ts';
import type { RunRecord, TaskRecord } from '../../src/record.ts';
import { parseTask, type Task, type TaskDocument } from '../../src/task.ts';

/** An instant as epoch ms. */
export const at = (instant: string): number => Date.parse(instant);

export const documentOf = (document: Partial<TaskDocument> = {}): TaskDocument => ({
  id: 'task',
  schedule: { every: '1m' },
  code: '1',
  ...document,
});

export const taskOf = (document: Partial<TaskDocument> = {}): Task => parseTask(documentOf(document)).task;

const usage = { wallMs: 0, cpuMs: 0, peakBytes: 0, hostCalls: 0 };

/** A run that came to an end; `value` and the keys in it that steer the task, as the sandbox reads them. */
export function succeeding(value: unknown = null): Outcome {
  const own = (key: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  const [state, nextAt] = [own('state'), own('nextAt')];
  return {
    status: 'succeeded',
    value,
    ...(own('completed') === true && { completed: true }),
    ...(state !== undefined && { state }),
    ...(nextAt !== undefined && { nextAt }),
    logs: [],
    truncated: false,
    usage,
  };
}

export const failing = (failure: NonNullable<Outcome['error']>['class'] = 'Thrown', logs: string[] = []): Outcome => ({
  status: failure === 'Timeout' ? 'timed-out' : 'failed',
  error: { class: failure, name: 'Error', message: 'no' },
  logs,
  truncated: false,
  usage,
});

/** The decision for a task that is due; anything else fails the test. */
export function decided(record: TaskRecord, nowMs: number, inFlight: Readonly<Record<number, number>> = {}) {
  const begun = new Map(Object.entries(inFlight).map(([slotMs, attempt]) => [Number(slotMs), { attempt }]));
  const decision: Plan = plan(record, nowMs, begun);
  if (decision.do !== 'decide') throw new Error(`expected a decision, got "${decision.do}"`);
  return decision;
}

/** Skipped ranges in few words: `reason first..last (count)`, instants as minutes and seconds. */
export const ranges = (skipped: readonly SkippedRange[]): string[] =>
  skipped.map(
    ({ reason, firstSlotMs, lastSlotMs, count }) => `${reason} ${clock(firstSlotMs)}..${clock(lastSlotMs)} (${count})`,
  );

/** `hh:mm:ss` of an instant, UTC. */
export const clock = (instantMs: number): string => new Date(instantMs).toISOString().slice(11, 19);

/** Whether a run is the end of its launch, or of its slots. */
export const isTerminal = ({ retryMs }: RunRecord): boolean => retryMs === undefined;
