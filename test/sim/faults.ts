/** What goes wrong in a world: each seed has a few kinds of fault, at rates of its own (swarm testing). */
import { Dice } from './dice.ts';

/** Of each call to the coordinator, with the lowest and highest rate. */
export const CALL_FAULTS = {
  /** The request or its reply takes some seconds. */
  delay: [0.002, 0.02],
  /** It takes longer than anybody waits for it. */
  stall: [0.0005, 0.004],
  /** The connection breaks before the request is there. */
  'request-lost': [0.001, 0.01],
  /** The connection breaks after it was applied. */
  'reply-lost': [0.001, 0.015],
  /** The connection breaks, and what was sent is applied behind the next read. */
  late: [0.001, 0.01],
  /** No server can be reached for a while. */
  cut: [0.0005, 0.004],
  /** The session is ended. */
  expire: [0.0005, 0.003],
  /** The process stands still for 1 to 45 s. */
  freeze: [0.0005, 0.004],
  kill: [0.0005, 0.003],
} as const;

/** Of each invocation, or of the world. */
export const OTHER_FAULTS = {
  /** No session can be had. */
  'refuse-connect': [0.02, 0.1],
  /** The invocation is left alone in the middle, frozen, and goes on when the next one comes to its process. */
  leftover: [0.02, 0.15],
  /** Asked to stop in the middle. */
  stop: [0.02, 0.1],
  double: [0.05, 0.3],
  tardy: [0.05, 0.3],
  /** Triggers do not come for minutes. */
  outage: [0.02, 0.06],
  /** A process has a wall clock that is wrong by up to five minutes. */
  skew: [0.2, 1],
  /** It is set in the middle of an invocation. */
  step: [0.02, 0.15],
  /** A worker of the sandbox is lost with its runs. */
  'worker-lost': [0.002, 0.03],
  /** A task that kills its process, every time. One decision per world. */
  poison: [0.4, 0.4],
} as const;

export type CallFault = keyof typeof CALL_FAULTS;
export type FaultKind = CallFault | keyof typeof OTHER_FAULTS;

const KINDS = [...Object.keys(CALL_FAULTS), ...Object.keys(OTHER_FAULTS)] as FaultKind[];
const CALL_KINDS = Object.keys(CALL_FAULTS) as CallFault[];
const RATES: Readonly<Record<FaultKind, readonly [number, number]>> = { ...CALL_FAULTS, ...OTHER_FAULTS };

/** Worlds without any fault, where nothing may run twice. */
const CALM_SHARE = 0.04;
const ENABLED_SHARE = 0.5;

export interface Injected {
  /** Names the decision, whatever else happens in the world. */
  readonly id: string;
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly process: string;
}

export interface FaultLimits {
  /** Only these faults, of all that would happen. */
  readonly only?: ReadonlySet<string>;
  readonly isCalm?: boolean;
}

export class Faults {
  readonly rates = new Map<FaultKind, number>();
  readonly injected: Injected[] = [];
  readonly #seed: number;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #isOver: () => boolean;
  readonly #now: () => number;

  constructor(seed: number, { only, isCalm = false }: FaultLimits, now: () => number, isOver: () => boolean) {
    this.#seed = seed;
    this.#only = only;
    this.#now = now;
    this.#isOver = isOver;
    const dice = new Dice(seed, 'swarm');
    if (dice.hit(CALM_SHARE) || isCalm) return;
    for (const [i, kind] of KINDS.entries()) {
      const own = new Dice(seed, 'swarm', i);
      const [min, max] = RATES[kind];
      if (own.hit(ENABLED_SHARE)) this.rates.set(kind, min + own.next() * (max - min));
    }
  }

  /** Whether a fault of this kind happens here; with the chance that decides on its details. */
  draw(kind: FaultKind, process: string, ...ordinals: readonly number[]): Dice | undefined {
    const rate = this.rates.get(kind);
    if (rate === undefined || this.#isOver()) return undefined;
    const dice = new Dice(this.#seed, kind, ...ordinals);
    if (!dice.hit(rate)) return undefined;
    const id = `${kind}:${ordinals.join('.')}`;
    if (this.#only !== undefined && !this.#only.has(id)) return undefined;
    this.injected.push({ id, kind, atMs: this.#now(), process });
    return dice;
  }

  /** The first fault that hits a call. */
  drawCall(process: string, ...ordinals: readonly number[]): { kind: CallFault; dice: Dice } | undefined {
    for (const kind of CALL_KINDS) {
      const dice = this.draw(kind, process, ...ordinals);
      if (dice !== undefined) return { kind, dice };
    }
    return undefined;
  }
}
