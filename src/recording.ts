/**
 * What it takes to repeat a run, and what a repetition shows. A run depends on nothing but its code, its context, its
 * seed, the time at which it began, its limits and the answers to its host calls; so with these it takes the same
 * course again, and nobody has to be asked. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EpochMs } from './clock.ts';
import { endOf, nextAtNote } from './end.ts';
import {
  DEFAULT_LIMITS,
  type Limits,
  type Program,
  type RecordedAnswer,
  type Run,
  type RunContext,
  type Started,
} from './evaluator.ts';
import { launchId, type Outcome, runSeed } from './launch.ts';
import type { Launch } from './plan.ts';
import { programOf } from './program.ts';
import type { Given, Granted, RunRecord, Seen, StandsFor } from './record.ts';
import type { Task } from './task.ts';

/** UTF-8 bytes, as JSON, of what a run's record keeps of its state, its own input and the answers to its host calls. */
export const SEEN_BYTES_MAX = 16 * 1024;

export const SEEN_TOO_MUCH = `its state, its own input and the answers to its host calls are more than is kept with a run: ${SEEN_BYTES_MAX} bytes as JSON`;

/** A run that can be repeated anywhere: plain JSON. */
export interface Recording {
  /** Source text. */
  readonly code: string;
  readonly context: RunContext;
  /** Where `Date.now()` began. */
  readonly nowMs: EpochMs;
  readonly seed: string;
  readonly limits: Limits;
  /** Of its host calls, in the order in which it saw them. */
  readonly answers: readonly RecordedAnswer[];
}

/** One thing in which a repetition is not what was recorded. */
export interface Difference {
  readonly field: 'status' | 'output' | 'error' | 'logs' | 'truncated';
  readonly recorded: unknown;
  readonly replayed: unknown;
}

type Attempted = Pick<RunRecord, 'slotMs' | 'attempt' | 'fence'> & StandsFor;

/** What one attempt at a launch of the task is: the same, whether it is launched or repeated. */
export function attemptOf(
  task: Pick<Task, 'id' | 'timeoutMs'>,
  { slotMs, attempt, fence, forSlotMs = slotMs, redriveOfMs, keyMs }: Attempted,
  { input, state }: Pick<RunContext, 'input' | 'state'>,
): Pick<Run, 'context' | 'seed' | 'limits'> {
  const idempotencyKey = launchId(task.id, keyMs ?? redriveOfMs ?? slotMs);
  return {
    context: { taskId: task.id, slotMs: forSlotMs, attempt, fence, idempotencyKey, input, state },
    seed: runSeed(launchId(task.id, slotMs), attempt),
    limits: { ...DEFAULT_LIMITS, wallMs: task.timeoutMs, cpuMs: task.timeoutMs },
  };
}

/** What the run's record has to keep, so that it can be repeated. */
export function givenOf(
  run: Run,
  manifest: Granted,
  { manual }: Pick<Launch, 'manual'>,
  { answers }: Pick<Started, 'answers'>,
  startedMs: EpochMs,
): Given {
  const granted = { fetch: run.fetch === undefined ? [] : manifest.fetch, call: Object.keys(run.capabilities) };
  const hasOwnInput = manual !== undefined && Object.hasOwn(manual, 'input');
  const seen = seenOf(run.context.state, hasOwnInput ? { input: manual.input } : {}, answers);
  return {
    code: run.program.hash,
    ...(startedMs !== run.nowMs && { waitedMs: startedMs - run.nowMs }),
    ...(granted.fetch.length + granted.call.length > 0 && { granted }),
    ...(seen !== undefined && { seen }),
  };
}

function seenOf(state: unknown, own: Pick<Seen, 'input'>, answers: Started['answers']): Given['seen'] {
  if (answers === 'too-large') return answers;
  const seen: Seen = { ...((state ?? null) !== null && { state }), ...own, ...(answers !== undefined && { answers }) };
  if (Object.keys(seen).length === 0) return undefined;
  const json = JSON.stringify(seen);
  return json.length * 3 <= SEEN_BYTES_MAX || Buffer.byteLength(json) <= SEEN_BYTES_MAX ? seen : 'too-large';
}

/** The recording of a run that has come to its end. */
export function recordingOf(run: Run, answers: Started['answers'] = []): Recording | 'too-large' {
  const { program, context, nowMs, seed, limits } = run;
  if (answers === 'too-large') return answers;
  return { code: program.source, context: plain(context), nowMs, seed, limits, answers };
}

/** What to give a run in place of what it was given when it was recorded. */
export interface Changes {
  /** Source text. A host call that the recorded run did not make, in this order, ends the repetition. */
  readonly code?: string;
  readonly input?: unknown;
  readonly state?: unknown;
}

/** The run to repeat a recorded one. */
export function runOf({ code, context, answers, ...rest }: Recording, changes: Changes = {}): Run {
  const { input = context.input, state = context.state } = changes;
  const program: Program = programOf(changes.code ?? code);
  return { ...rest, program, context: { ...context, input, state }, capabilities: {}, answers };
}

/** In what the end of a repetition is not the one that was recorded. */
export function differencesOf(run: RunRecord, outcome: Outcome): Difference[] {
  const end = plain(endOf(outcome));
  const { logs = [] } = end;
  const note = nextAtNote(outcome.nextAt);
  // What the engine itself had to say of a `nextAt` that came too late is no line of the run's.
  const replayed = run.logs?.length === logs.length + 1 && run.logs.at(-1) === note ? [...logs, note] : end.logs;
  const fields = ['status', 'output', 'error', 'logs', 'truncated'] as const;
  return fields
    .map((field): Difference => ({ field, recorded: run[field], replayed: field === 'logs' ? replayed : end[field] }))
    .filter((difference) => !isDeepStrictEqual(difference.recorded, difference.replayed));
}

/** As JSON gives it back. */
const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
