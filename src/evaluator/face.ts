/**
 * The evaluator as a library: one run at a time, with defaults for everything but the code.
 *
 * ```ts
 * const evaluator = await createEvaluator();
 * const outcome = await evaluator.evaluate({ code: '({ completed: ctx.input > 2 })', input: 3 });
 * await evaluator.close();
 * ```
 *
 * With `record: true` the outcome has a recording, plain JSON, with which `replay` repeats the run later, anywhere.
 */
import { type Clock, type EpochMs, type Random, systemClock, systemRandom } from '../clock.ts';
import { CronkeeperError, messageOf, type Problem, received } from '../errors.ts';
import { type Capability, DEFAULT_LIMITS, LIMITS, type Limits, type Run, type Started } from '../evaluator.ts';
import { launchId, type Outcome } from '../launch.ts';
import { parseOrigin } from '../origin.ts';
import type { FetchPermissions, Outbound } from '../outbound.ts';
import { type programOf, rememberPrograms } from '../program.ts';
import { type Changes, type Recording, recordingOf } from '../recording.ts';
import { isRecordingSound } from '../soundness.ts';
import { createQuickJsEvaluator } from './quickjs.ts';

export interface EvaluatorOptions {
  /** Threads, 1 to 64. Default 1. */
  readonly workers?: number;
  /** Defaults for every run; see {@link Limits}. */
  readonly limits?: Partial<Limits>;
  /** What runs may `ctx.fetch` beside public addresses, if `fetch` of the run names it. Default: nothing. */
  readonly fetch?: FetchPermissions;
  readonly clock?: Clock;
  /** Seeds runs that bring no seed. */
  readonly random?: Random;
}

export interface EvaluateOptions {
  /** An ES module with a default export, or a script whose completion value is the result. */
  readonly code: string;
  /** `ctx.input`, a JSON value. Default null. */
  readonly input?: unknown;
  /** `ctx.state`, a JSON value. Default null. */
  readonly state?: unknown;
  /** What `ctx.call(name, …)` reaches. Default: nothing. */
  readonly capabilities?: Readonly<Record<string, Capability>>;
  /** Origins that `ctx.fetch` may reach, such as `https://api.example.com`. Default: none. */
  readonly fetch?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** `ctx.slot`: epoch ms, an ISO instant or a Date. Default: `now`. */
  readonly slot?: EpochMs | string | Date;
  /** Default 1. */
  readonly attempt?: number;
  /** Default 0. */
  readonly fence?: number;
  /** Default `evaluate`. */
  readonly taskId?: string;
  /** The same seed gives the same `Math.random()`. Default: any. */
  readonly seed?: number | string;
  /** Where `Date.now()` starts inside, epoch ms. Default: the clock's. */
  readonly now?: EpochMs;
  /** Ends the run as `Cancelled`. */
  readonly signal?: AbortSignal;
  /** Adds a recording to the outcome. Default: false. */
  readonly record?: boolean;
}

/** An outcome, with what it takes to repeat its run if that was asked for. */
export interface Evaluated extends Outcome {
  /** `too-large`: the answers to its host calls are more than is recorded. */
  readonly recording?: Recording | 'too-large';
}

export interface EvaluatorReplayOptions extends Changes {
  /** Ends the run as `Cancelled`. */
  readonly signal?: AbortSignal;
}

export interface StandaloneEvaluator {
  /** Faults of the code are outcomes. Rejects on bad options, and when the evaluator is closed. */
  evaluate(options: EvaluateOptions): Promise<Evaluated>;
  /**
   * Repeats a recorded run, with changes or without: its host calls get the answers that they got then, and nobody is
   * asked. Asking for something else ends it as `Diverged`.
   */
  replay(recording: Recording, options?: EvaluatorReplayOptions): Promise<Outcome>;
  close(): Promise<void>;
}

const WORKERS_MAX = 64;
const SEED_CHARS_MAX = 256;
/** The engine's clock counts nanoseconds since 1970 in 64 bits: until 2554. */
const NOW_MAX_MS = Date.UTC(2500, 0, 1);

/** What makes the requests of runs. */
export type OpenOutbound = (permissions: FetchPermissions | undefined, clock: Clock) => Outbound;

/** Rejects with `invalid` when an option is wrong. Resolves when all workers are ready. */
export async function createEvaluator(
  options: EvaluatorOptions,
  openOutbound: OpenOutbound,
): Promise<StandaloneEvaluator> {
  const problems: Problem[] = [];
  const { workers = 1, limits: given = {}, clock = systemClock, random = systemRandom, fetch, ...unknown } = options;
  refuseUnknown(problems, unknown);
  requireInteger(problems, 'workers', workers, 1, WORKERS_MAX);
  requireLimits(problems, given);
  throwIfAny(problems, 'createEvaluator');
  const outbound = openOutbound(fetch, clock);
  const limits = { ...DEFAULT_LIMITS, ...given };
  const defaults: Defaults = { limits, clock, random, outbound, programOf: rememberPrograms() };
  const evaluator = await createQuickJsEvaluator({ workers, clock });
  const outcomeOf = async (run: Run, signal: AbortSignal | undefined) => {
    const ended: Ended[] = [];
    await evaluator.run([run], (_, { startedMs: __, hasStarted: ___, ...outcome }) => ended.push(outcome), signal);
    return ended[0]!;
  };
  return {
    async evaluate(options) {
      const run = runOf(options, defaults, 'evaluate');
      const { answers, ...outcome } = await outcomeOf(run, options.signal);
      return options.record === true ? { ...outcome, recording: recordingOf(run, answers) } : outcome;
    },
    async replay(recording, options = {}) {
      const run = runAgain(recording, options, defaults);
      const { answers: _, ...outcome } = await outcomeOf(run, options.signal);
      return outcome;
    },
    async close() {
      await evaluator.close();
      await outbound.close();
    },
  };
}

type Ended = Outcome & Pick<Started, 'answers'>;

interface Defaults {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  readonly outbound: Outbound;
  readonly programOf: typeof programOf;
}

function runAgain(recording: Recording, changes: EvaluatorReplayOptions, defaults: Defaults): Run {
  if (!isRecordingSound(recording)) {
    throw new CronkeeperError('invalid', `replay: received ${received(recording)}; allowed: a recording of evaluate()`);
  }
  const { context, nowMs: now, answers, ...rest } = recording;
  const { slotMs: slot, idempotencyKey: _, ...others } = context;
  const { code = recording.code, input = context.input, state = context.state, ...options } = changes;
  const run = { ...others, slot, now, ...rest, code, input, state, ...options };
  return { ...runOf(run, defaults, 'replay'), answers };
}

function runOf(options: EvaluateOptions, defaults: Defaults, where: string): Run {
  const { limits, clock, random, outbound } = defaults;
  const problems: Problem[] = [];
  const { code, input = null, state = null, capabilities = {}, limits: given = {}, signal, record, ...rest } = options;
  const { now = clock.now(), slot = now, attempt = 1, fence = 0, taskId = 'evaluate', ...others } = rest;
  const { seed = `${random()}`, fetch = [], ...unknown } = others;
  refuseUnknown(problems, unknown);
  requireThat(problems, 'code', code, typeof code === 'string', 'a string with JavaScript');
  requireJson(problems, 'input', input);
  requireJson(problems, 'state', state);
  requireLimits(problems, given);
  for (const [name, capability] of Object.entries(capabilities)) {
    requireThat(problems, `capabilities.${name}`, capability, typeof capability === 'function', 'a function');
  }
  requireOrigins(problems, fetch);
  const slotMs = new Date(slot).getTime();
  requireThat(problems, 'slot', slot, !Number.isNaN(slotMs), 'an ISO instant, epoch ms or a Date');
  const isTime = typeof now === 'number' && now >= 0 && now <= NOW_MAX_MS;
  requireThat(problems, 'now', now, isTime, `epoch ms, from 0 to ${NOW_MAX_MS}`);
  const isSeed = typeof seed === 'string' ? seed.length <= SEED_CHARS_MAX : Number.isFinite(seed);
  requireThat(problems, 'seed', seed, isSeed, `a number, or a text of at most ${SEED_CHARS_MAX} characters`);
  requireThat(problems, 'taskId', taskId, typeof taskId === 'string', 'a string');
  requireInteger(problems, 'attempt', attempt, 1, Number.MAX_SAFE_INTEGER);
  requireInteger(problems, 'fence', fence, 0, Number.MAX_SAFE_INTEGER);
  requireThat(problems, 'signal', signal, signal === undefined || signal instanceof AbortSignal, 'an AbortSignal');
  requireThat(problems, 'record', record, record === undefined || typeof record === 'boolean', 'true or false');
  throwIfAny(problems, where);
  const idempotencyKey = launchId(taskId, slotMs);
  return {
    program: defaults.programOf(code),
    context: { taskId, slotMs, attempt, fence, idempotencyKey, input, state },
    nowMs: now,
    seed: `${seed}`,
    limits: { ...limits, ...given },
    capabilities,
    ...(fetch.length > 0 && { fetch: outbound.grant({ origins: fetch, idempotencyKey, fence }) }),
  };
}

function requireThat(problems: Problem[], field: string, value: unknown, isValid: boolean, allowed: string): void {
  if (!isValid) problems.push({ field, message: `${received(value)} was received; allowed is ${allowed}` });
}

function requireInteger(problems: Problem[], field: string, value: unknown, min: number, max: number): void {
  const isValid = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  requireThat(problems, field, value, isValid, `a whole number from ${min} to ${max}`);
}

function requireJson(problems: Problem[], field: string, value: unknown): void {
  try {
    if (JSON.stringify(value) !== undefined) return;
    problems.push({ field, message: `a ${typeof value} was received; allowed is a JSON value` });
  } catch (error) {
    problems.push({ field, message: `allowed is a JSON value; this cannot be written as JSON: ${messageOf(error)}` });
  }
}

function requireOrigins(problems: Problem[], origins: unknown): void {
  requireThat(problems, 'fetch', origins, Array.isArray(origins), 'a list of origins');
  if (!Array.isArray(origins)) return;
  for (const [i, origin] of origins.entries()) {
    try {
      parseOrigin(String(origin));
    } catch (error) {
      problems.push({ field: `fetch.${i}`, message: messageOf(error) });
    }
  }
}

function requireLimits(problems: Problem[], limits: Partial<Limits>): void {
  for (const [name, value] of Object.entries(limits)) {
    const field = `limits.${name}`;
    if (!isLimit(name)) problems.push({ field, message: `unknown; allowed are ${Object.keys(LIMITS).join(', ')}` });
    else requireInteger(problems, field, value, LIMITS[name].min, LIMITS[name].max);
  }
}

const isLimit = (name: string): name is keyof Limits => Object.hasOwn(LIMITS, name);

function refuseUnknown(problems: Problem[], rest: object): void {
  for (const field of Object.keys(rest)) problems.push({ field, message: 'unknown option' });
}

function throwIfAny(problems: readonly Problem[], where: string): void {
  if (problems.length === 0) return;
  const list = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new CronkeeperError('invalid', `${where}: ${list}`, { problems });
}
