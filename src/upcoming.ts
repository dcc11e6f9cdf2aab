/**
 * What a tick knows of what is to come: what is due goes on at once, what will be due soon has a timer. The rest is left
 * in the due index and read in time, so that memory holds a bounded part of it, however much there is.
 */
import type { Clock, EpochMs } from './clock.ts';
import type { Page, TimedEntry } from './due.ts';
import { PACE } from './pace.ts';
import { Timers } from './timers.ts';

export interface UpcomingOptions {
  readonly clock: Clock;
  /** The coordinator's time. */
  readonly now: () => EpochMs;
  /** What is due later is left to the next tick. */
  readonly until: () => EpochMs;
  readonly lingers: boolean;
  /** Takes what is due, or will be in a moment (`PACE.handOverAheadMs`). */
  readonly submit: (due: readonly TimedEntry[]) => void;
}

export class Upcoming {
  readonly #options: UpcomingOptions;
  readonly #timers: Timers<TimedEntry>;

  constructor(options: UpcomingOptions) {
    this.#options = options;
    const ahead = () => options.now() + PACE.handOverAheadMs;
    this.#timers = new Timers(options.clock, ahead, options.submit);
  }

  accept(entries: readonly TimedEntry[]): void {
    const [nowMs, untilMs] = [this.#options.now(), this.#options.until()];
    this.#options.submit(entries.filter(({ dueMs }) => dueMs <= nowMs && dueMs <= untilMs));
    for (const entry of entries) if (entry.dueMs > nowMs && entry.dueMs <= untilMs) this.#timers.add(entry);
  }

  /**
   * Whether a page that this tick makes is to be remembered. What falls due beyond the next scan is read again when its
   * time has come, like what others have made.
   */
  isSoon({ left }: Page): boolean {
    const { now, until, lingers } = this.#options;
    const [first] = left.values();
    return first !== undefined && first.dueMs <= (lingers ? now() + PACE.scanAheadMs : until());
  }

  /** Where there is no room for the timers of a page: in how many ms to look for it again, in good time if it can be. */
  fullForMs({ left }: Page): number | undefined {
    if (this.#timers.size < PACE.timersMax) return undefined;
    const inMs = Math.min(...[...left.values()].map(({ dueMs }) => dueMs)) - this.#options.now();
    return inMs <= 0 ? undefined : Math.max(PACE.scanAgainMs, inMs / 2);
  }

  /** What the journal should know by now. */
  soon(): TimedEntry[] {
    return [...this.#timers.until(this.#options.now() + PACE.prepareAheadMs)];
  }

  stop(): void {
    this.#timers.stop();
  }
}
