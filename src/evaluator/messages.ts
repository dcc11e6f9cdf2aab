/** What the main thread and the worker say to each other. Results go another way: see outbox.ts. */
import type { EpochMs } from '../clock.ts';
import { LIMITS, type Limits, type Program, type RecordedAnswer } from '../evaluator.ts';
import type { Seq } from './board.ts';
import type { Guest } from './host.ts';
import type { Report } from './outbox.ts';

/** One thing to do, as the worker sees it: data only. */
export interface Order {
  readonly seq: Seq;
  /** `check`: parse, and look for the default export, without running. */
  readonly task: 'run' | 'check';
  readonly hash: string;
  /** The data of `ctx`: a JSON list of its values, in the order of guest/run.js. */
  readonly context: string;
  readonly nowMs: EpochMs;
  /** By `monotonicMs`; 0: at once. */
  readonly notBeforeMs: number;
  readonly seed: string;
  readonly limits: Limits;
  /** The run is repeated: see {@link Run.answers}. */
  readonly answers?: readonly RecordedAnswer[] | undefined;
}

/** An order that has no name yet. */
export type Task = Omit<Order, 'seq'>;

const LIMIT_NAMES = Object.keys(LIMITS) as (keyof Limits)[];

/**
 * Orders as columns: what a message costs is mostly the objects in it, and each would name its fields again. Equal
 * limits become one object, which a message holds once.
 */
export interface PackedOrders {
  readonly seqs: Int32Array;
  readonly checks: readonly boolean[];
  readonly hashes: readonly string[];
  readonly contexts: readonly string[];
  readonly nowMs: Float64Array;
  readonly notBeforeMs: Float64Array;
  readonly seeds: readonly string[];
  readonly limits: readonly Limits[];
  readonly answers: readonly (readonly RecordedAnswer[] | undefined)[];
}

export const packOrders = (seqs: Int32Array, orders: readonly Task[]): PackedOrders => ({
  seqs,
  checks: orders.map(({ task }) => task === 'check'),
  hashes: orders.map(({ hash }) => hash),
  contexts: orders.map(({ context }) => context),
  nowMs: Float64Array.from(orders, ({ nowMs }) => nowMs),
  notBeforeMs: Float64Array.from(orders, ({ notBeforeMs }) => notBeforeMs),
  seeds: orders.map(({ seed }) => seed),
  limits: interned(orders),
  answers: orders.some(({ answers }) => answers !== undefined) ? orders.map(({ answers }) => answers) : [],
});

/** Equal limits as one object. */
function interned(orders: readonly Task[]): Limits[] {
  let last: Limits | undefined;
  return orders.map(({ limits }) => {
    if (last === undefined || LIMIT_NAMES.some((name) => last?.[name] !== limits[name])) last = limits;
    return last;
  });
}

export const unpackOrders = (packed: PackedOrders): Order[] =>
  Array.from(packed.seqs, (seq, i) => ({
    seq,
    task: packed.checks[i] ? 'check' : 'run',
    hash: packed.hashes[i]!,
    context: packed.contexts[i]!,
    nowMs: packed.nowMs[i]!,
    notBeforeMs: packed.notBeforeMs[i]!,
    seed: packed.seeds[i]!,
    limits: packed.limits[i]!,
    answers: packed.answers[i],
  }));

/** The same instant on two clocks: the caller's, and the machine's monotonic one, which all threads share. */
export interface ClockReading {
  readonly epochMs: EpochMs;
  readonly monotonicMs: number;
}

/** `call`: a function of the embedding program. `fetch`: a request; `name` is then empty. */
export type CallKind = 'call' | 'fetch';

/** How a host call ended: `V` and the value as JSON, `E` and an error's message, `D` and why it was denied. */
export type Answer = `${'V' | 'E' | 'D'}${string}`;

export interface HostCall {
  readonly seq: Seq;
  readonly kind: CallKind;
  /** Its number: the run's first host call is 1. */
  readonly call: number;
  readonly name: string;
  /** As the guest wrote it: a JSON array of arguments, or a request. */
  readonly args: string;
}

export interface Reply {
  readonly seq: Seq;
  readonly call: number;
  readonly answer: Answer;
}

export type ToWorker =
  | {
      readonly type: 'start';
      readonly module: WebAssembly.Module;
      readonly guest: Guest;
      readonly board: SharedArrayBuffer;
      readonly outbox: SharedArrayBuffer;
    }
  | {
      readonly type: 'orders';
      /** Programs that the worker has not seen yet, and names of those that it may drop first. */
      readonly learn: readonly Program[];
      readonly forget: readonly string[];
      readonly orders: PackedOrders;
      readonly sentAt: ClockReading;
    }
  | { readonly type: 'replies'; readonly replies: readonly Reply[] }
  | { readonly type: 'cancel'; readonly seqs: readonly Seq[] };

export type FromWorker =
  | { readonly type: 'ready' }
  /** Look into the outbox, and answer these host calls. */
  | { readonly type: 'news'; readonly calls: readonly HostCall[] }
  /** A report for which the outbox had no room. */
  | { readonly type: 'report'; readonly report: Report };

/** Monotonic ms on a scale that all threads of the process share. */
export const monotonicMs = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};
