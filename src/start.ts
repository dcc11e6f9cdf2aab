/** A launch that is going to run: what the sandbox is given, and what is to be settled when it comes back. Pure. */
import type { EpochMs } from './clock.ts';
import type { TimedEntry } from './due.ts';
import type { Capability, Program, Run, Started } from './evaluator.ts';
import type { Outcome } from './launch.ts';
import type { Lease } from './lease.ts';
import type { Outbound } from './outbound.ts';
import type { Launch } from './plan.ts';
import { attemptOf, givenOf } from './recording.ts';
import { type Done, inputOf } from './settle.ts';
import type { Loaded } from './store.ts';

/** How often a launch is started again because another run took its worker with it. */
const RELAUNCHES_MAX = 3;

export interface Start {
  readonly entry: TimedEntry;
  readonly lease: Lease;
  readonly loaded: Loaded;
  readonly skipped: Done['skipped'];
  readonly launch: Launch;
  /** How often it was begun, and lost with the worker that ran it. */
  readonly losses: number;
}

/** What there is for tasks to use, if their manifests name it. */
export interface Grants {
  readonly capabilities: Readonly<Record<string, Capability>>;
  readonly outbound?: Outbound;
}

export interface Times {
  /** The coordinator's time. */
  readonly now: () => EpochMs;
  /** Milliseconds between the local clock and the coordinator's: local = coordinator + skew. */
  readonly skewMs: number;
}

export function runOf(
  { entry: { dueMs }, loaded: { record }, launch, lease }: Start,
  program: Program,
  nowMs: EpochMs,
  { capabilities, outbound }: Grants,
): Run {
  const { task, state } = record;
  const granted = task.capabilities.call.filter((name) => Object.hasOwn(capabilities, name));
  const attempt = attemptOf(
    task,
    { ...launch.manual, ...launch, fence: lease.fence },
    { input: inputOf(record, launch), state },
  );
  const origins = task.capabilities.fetch;
  const fetch = origins.length === 0 ? undefined : outbound?.grant({ origins, ...attempt.context });
  return {
    ...attempt,
    program,
    nowMs: Math.max(nowMs, dueMs),
    ...(dueMs > nowMs && { delayMs: dueMs - nowMs }),
    capabilities: Object.fromEntries(granted.map((name) => [name, capabilities[name] as Capability])),
    ...(fetch !== undefined && { fetch }),
  };
}

export function doneOf(
  { loaded, lease, skipped, launch }: Start,
  run: Run,
  outcome: Outcome & Started,
  times: Times,
): Done {
  const { createdMs, revision, task } = loaded.record;
  const span = spanOf(run, outcome, times);
  const given = givenOf(run, task.capabilities, launch, outcome, span.startedMs);
  return { skipped, launch, outcome, given, ...span, fence: lease.fence, createdMs, revision };
}

/** By the coordinator's time. The wall clock by which the outcome came may have been set since. */
function spanOf({ nowMs: handedOverMs }: Run, { startedMs, usage }: Outcome & Started, { now, skewMs }: Times) {
  const nowMs = Math.max(handedOverMs, now());
  const fromMs = Math.min(Math.max(Math.round(startedMs - skewMs), handedOverMs), nowMs);
  return { startedMs: fromMs, finishedMs: Math.min(fromMs + Math.round(usage.wallMs), nowMs) };
}

/** What may run at most once does not, even when nobody will ever hear of its only run. */
export const isToRunAgain = ({ loaded, losses }: Start, { error }: Outcome): boolean =>
  error?.class === 'WorkerLost' && losses < RELAUNCHES_MAX && loaded.record.task.delivery !== 'at-most-once';
