/**
 * Launches that have been begun twice and more by holders that did not live to record an end: each may be what kills
 * them. They wait until all else is done, and go one by one, so that the next death tells which of them it was, and
 * takes nobody else with it.
 */
import type { Cancel, Clock } from './clock.ts';
import type { TimedEntry } from './due.ts';

/** A suspect waits no longer for a quiet moment; a busy tick might never have one. */
const WAIT_MS = 5_000;

/** Nothing else starts in the first moments of a suspect. One that has lived so long holds nobody up. */
const ALONE_MS = 2_000;

export class Suspects {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #waiting: { readonly entry: TimedEntry; readonly sinceMs: number }[] = [];
  #running: TimedEntry | undefined;
  #isAlone = false;
  #cancel: Cancel = () => undefined;

  /** `onChange` is called when a turn may have come without anything else having happened. */
  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether nothing else may start now. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  add(entry: TimedEntry): void {
    this.#waiting.push({ entry, sinceMs: this.#clock.elapsed() });
    if (this.#running === undefined && this.#waiting.length === 1) this.#lookIn(WAIT_MS);
  }

  /** The next one, if it is its turn. `isQuiet`: nothing else is on its way, or waits for a place. */
  take(isQuiet: boolean): TimedEntry | undefined {
    const [next] = this.#waiting;
    if (next === undefined || this.#running !== undefined) return undefined;
    if (!isQuiet && this.#clock.elapsed() - next.sinceMs < WAIT_MS) return undefined;
    this.#waiting.shift();
    this.#running = next.entry;
    this.#isAlone = true;
    this.#lookIn(ALONE_MS, () => {
      this.#isAlone = false;
    });
    return next.entry;
  }

  isRunning(entry: TimedEntry): boolean {
    return this.#running === entry;
  }

  /** It is recorded or dropped. */
  release(entry: TimedEntry): void {
    if (this.#running !== entry) return;
    this.#running = undefined;
    this.#isAlone = false;
    this.#cancel();
    const [next] = this.#waiting;
    if (next !== undefined) this.#lookIn(Math.max(0, WAIT_MS - (this.#clock.elapsed() - next.sinceMs)));
  }

  stop(): void {
    this.#cancel();
  }

  #lookIn(delayMs: number, before: () => void = () => undefined): void {
    this.#cancel();
    this.#cancel = this.#clock.after(delayMs, () => {
      before();
      this.#onChange();
    });
  }
}
