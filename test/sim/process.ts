/**
 * A process of a worker or a user: whatever reaches it (timers, replies, watches, the end of a session) comes through one
 * gate, which is open, shut until it thaws, or shut for ever.
 */
import type { Cancel, Clock } from '../../src/clock.ts';
import type { VirtualTime } from './virtual-time.ts';

/** When something was done to a process that may make somebody else start its launches again. */
export interface Hit {
  readonly kind: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export class SimProcess {
  readonly name: string;
  readonly ordinal: number;
  readonly clock: Clock;
  readonly hits: Hit[] = [];
  isKilled = false;
  /** The latest that came to it. */
  invocation = 0;
  /** Its wall clock is ahead of the coordinator's by so much. */
  skewMs: number;
  readonly #time: VirtualTime;
  #frozenUntilMs = -1;
  #held: (() => void)[] = [];
  readonly #onChange = new Set<() => void>();
  #tokens = 0;

  constructor(time: VirtualTime, name: string, ordinal: number, skewMs: number) {
    this.#time = time;
    this.name = name;
    this.ordinal = ordinal;
    this.skewMs = skewMs;
    this.clock = {
      now: () => time.wallMs + this.skewMs,
      elapsed: () => time.nowMs,
      after: (delayMs, fire) => this.#after(delayMs, fire),
    };
  }

  get isFrozen(): boolean {
    return this.#time.nowMs < this.#frozenUntilMs;
  }

  /** Whether its sessions send heartbeats. */
  get isHeard(): boolean {
    return !this.isKilled && this.#frozenUntilMs < 0;
  }

  readonly token = (): string => `${this.name}.${this.#tokens++}`;

  /** Told when the process freezes, thaws or dies. */
  watch(onChange: () => void): () => void {
    this.#onChange.add(onChange);
    return () => this.#onChange.delete(onChange);
  }

  deliver(what: () => void): void {
    if (this.isKilled) return;
    if (this.#frozenUntilMs >= 0) this.#held.push(what);
    else what();
  }

  hit(kind: string, lastsMs = 0): void {
    this.hits.push({ kind, fromMs: this.#time.nowMs, untilMs: this.#time.nowMs + lastsMs });
  }

  freeze(forMs: number): void {
    if (this.isKilled || this.#frozenUntilMs >= 0) return;
    this.hit('freeze', forMs);
    this.#frozenUntilMs = this.#time.nowMs + forMs;
    this.#changed();
    this.#time.after(forMs, () => this.thaw());
  }

  thaw(): void {
    if (this.isKilled || this.#frozenUntilMs < 0) return;
    this.#frozenUntilMs = -1;
    for (const what of this.#held.splice(0)) this.#time.after(0, () => this.deliver(what));
    this.#changed();
  }

  kill(kind: string): void {
    if (this.isKilled) return;
    this.hit(kind, Infinity);
    this.isKilled = true;
    this.#held = [];
    this.#changed();
  }

  #changed(): void {
    for (const tell of [...this.#onChange]) tell();
  }

  #after(delayMs: number, fire: () => void): Cancel {
    let isCancelled = false;
    const cancel = this.#time.after(delayMs, () =>
      this.deliver(() => {
        if (!isCancelled) fire();
      }),
    );
    return () => {
      isCancelled = true;
      cancel();
    };
  }
}
