/**
 * Launches that have been begun twice and more by holders that did not live to record an end: each may be what kills
 * them. They wait until all else is done, and begin one by one, so that the next death tells which of them it was, and
 * takes nobody else with it. One that has lived for a moment has shown that it is not.
 */
import type { Cancel, Clock } from './clock.ts';
import type { TimedEntry } from './due.ts';

/** A suspect waits no longer for a quiet moment; a busy tick might never have one. */
export const SUSPECT_WAIT_MS = 5_000;

/** Nothing else starts in the first moments of a suspect, the next suspect neither. */
const ALONE_MS = 1_000;

export class Suspects {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #waiting: { readonly entry: TimedEntry; readonly sinceMs: number }[] = [];
  readonly #begun = new Set<TimedEntry>();
  #alone: TimedEntry | undefined;
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
    return this.#alone !== undefined;
  }

  add(entry: TimedEntry): void {
    this.#waiting.push({ entry, sinceMs: this.#clock.elapsed() });
    if (!this.isAlone && this.#waiting.length === 1) this.#lookIn(SUSPECT_WAIT_MS);
  }

  /** The next one, if it is its turn. `isQuiet`: nothing but suspects is on its way, or waits for a place. */
  take(isQuiet: boolean): TimedEntry | undefined {
    const [next] = this.#waiting;
    if (next === undefined || this.isAlone) return undefined;
    if (!isQuiet && this.#clock.elapsed() - next.sinceMs < SUSPECT_WAIT_MS) return undefined;
    this.#waiting.shift();
    this.#begun.add(next.entry);
    this.#alone = next.entry;
    this.#lookIn(ALONE_MS);
    return next.entry;
  }

  hasBegun(entry: TimedEntry): boolean {
    return this.#begun.has(entry);
  }

  /** Those that have begun and are on their way still. */
  get begun(): number {
    return this.#begun.size;
  }

  /** It is recorded or dropped. */
  release(entry: TimedEntry): void {
    this.#begun.delete(entry);
    if (this.#alone === entry) this.#end();
  }

  stop(): void {
    this.#cancel();
  }

  /** It need not be alone any more. */
  #end(): void {
    this.#cancel();
    this.#alone = undefined;
    const [next] = this.#waiting;
    if (next !== undefined) this.#lookIn(Math.max(0, SUSPECT_WAIT_MS - (this.#clock.elapsed() - next.sinceMs)));
  }

  #lookIn(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#clock.after(delayMs, () => {
      if (this.#alone !== undefined) this.#end();
      this.#onChange();
    });
  }
}
