/**
 * Sends many letters, few at a time. A destination that does not answer has a few requests and then a rest, so that it
 * holds up nobody else: what is for it fails as the last one did, and is tried again later like that one.
 */
import type { Clock } from './clock.ts';
import type { Courier, Letter } from './courier.ts';
import { addressOf, type Destination } from './destination.ts';
import { type Mail, messageFor, type Pending, type Told } from './mail.ts';

/** Letters on their way at a time: of one round, and of it to one destination. */
const AT_ONCE = 8;
const TO_ONE_AT_ONCE = 4;

/** After so many failures in a row, a destination rests for so long. */
const FAILURES_MAX = 3;
const REST_MS = 5_000;

/** Destinations whose failures are remembered. */
const REMEMBERED_MAX = 10_000;

export interface Job {
  readonly mail: Mail;
  readonly pending: Pending;
}

export interface RoundsOptions {
  readonly namespace: string;
  readonly courier: Courier;
  readonly clock: Clock;
  /** Whether another one may be begun. */
  readonly mayStart: () => boolean;
  readonly signal: AbortSignal;
}

interface Failing {
  readonly failures: number;
  readonly untilMs: number;
  readonly told: Told;
}

interface Lane {
  readonly jobs: Job[];
  underWay: number;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #failing = new Map<string, Failing>();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** What came of each; those without an outcome were not begun, or not to the end. */
  async send(jobs: readonly Job[]): Promise<Map<Pending, Told>> {
    const lanes = new Map<string, Lane>();
    // What failed before goes last: it must not stand in the way of what is fresh.
    for (const job of [...jobs].sort((a, b) => a.pending.attempts - b.pending.attempts)) {
      const address = addressOf(job.pending.destination);
      const lane = lanes.get(address) ?? { jobs: [], underWay: 0 };
      lanes.set(address, lane);
      lane.jobs.push(job);
    }
    const outcomes = new Map<Pending, Told>();
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, () => this.#work(lanes, outcomes)));
    return outcomes;
  }

  /** One letter after the other, from wherever there are any. Where others are at work, they will go on. */
  async #work(lanes: Map<string, Lane>, outcomes: Map<Pending, Told>): Promise<void> {
    for (;;) {
      const [address, lane] = [...lanes].find(([, { underWay }]) => underWay < TO_ONE_AT_ONCE) ?? [];
      if (address === undefined || lane === undefined) return;
      const job = lane.jobs.shift();
      if (job === undefined) {
        lanes.delete(address);
        continue;
      }
      lane.underWay++;
      const told = this.#resting(address) ?? (await this.#send(address, job));
      lane.underWay--;
      if (told !== undefined) outcomes.set(job.pending, told);
    }
  }

  #resting(address: string): Told | undefined {
    const failing = this.#failing.get(address);
    const rests = failing !== undefined && this.#options.clock.elapsed() < failing.untilMs;
    return rests && failing.failures >= FAILURES_MAX ? failing.told : undefined;
  }

  async #send(address: string, { mail, pending }: Job): Promise<Told | undefined> {
    const { namespace, courier, mayStart, signal } = this.#options;
    if (signal.aborted || !mayStart()) return undefined;
    const { destination, condition } = pending;
    const message = messageFor(namespace, mail, condition);
    const letter: Letter = { destination: destination as Letter['destination'], message, fence: mail.run.fence };
    const told = await courier(letter, signal);
    if (signal.aborted && told.is !== 'delivered') return undefined; // it was cut off, and that says nothing
    this.#note(address, told);
    return told;
  }

  #note(address: string, told: Told): void {
    const failures = (this.#failing.get(address)?.failures ?? 0) + 1;
    this.#failing.delete(address);
    if (told.is !== 'later') return;
    if (this.#failing.size >= REMEMBERED_MAX) this.#failing.clear();
    this.#failing.set(address, { failures, untilMs: this.#options.clock.elapsed() + REST_MS, told });
  }
}

export const isChain = (destination: Destination): destination is { readonly task: string } => 'task' in destination;
