/**
 * What a module's top level has made of the pristine memory, so that it need not be evaluated for every run. Evaluating
 * a no-op takes 12 µs, and 10 KB of functions 180 µs; writing what has changed takes one to fifteen.
 *
 * Whoever keeps such a state has seen to it that nothing but the bytecode has had a part in it: see execution.ts. It is
 * a difference to the pristine memory, so every run still starts with all of that set back.
 */
import { DEFAULT_LIMITS, type Limits, type Program } from '../evaluator.ts';
import type { Value } from './binding.ts';
import { BYTES_PER_WORD, type Difference } from './difference.ts';
import { PAGE_BYTES } from './soft-memory.ts';
import type { Verdict } from './verdict.ts';

/** A program in this worker. Its bytecode was made here, by the same engine, and never leaves. */
export interface KnownProgram {
  readonly program: Program;
  bytecode?: Buffer | undefined;
  /** What is wrong with it, once that is known. */
  refusal?: Verdict;
  /** How often it was evaluated and came to what it always comes to. */
  evaluations?: number;
}

export interface ModuleState {
  readonly memory: Difference;
  readonly namespace: Value;
}

/** Where it was evaluated: an instance. */
interface Evaluated {
  stateWith(namespace: Value): ModuleState | undefined;
}

/** Some three thousand small modules. */
const STATES_BYTES = 32 * 1024 * 1024;
const ENTRY_BYTES = 512;
/** Finding what has changed costs as much as some evaluations: it is for modules that come again. */
const EVALUATIONS_MIN = 3;
/**
 * It takes some milliseconds the first time: a run that has little time is not to be late for the sake of others. Nor is
 * it to come through only where others have come before it, so it evaluates for itself.
 */
const PATIENCE_MS = 1000;
/** Evaluations that take longer are for every run to make, and to be counted in its time. */
const EVALUATION_MS_MAX = 100;
/** When there is no room, every so manieth evaluation of a module takes it from whoever has not run for longest. */
const EVALUATIONS_PER_EVICTION = 16;

/** Where the stack ends is a word in the engine's memory, and so in a state. */
const hasUsualStack = ({ stackBytes }: Limits): boolean => stackBytes === DEFAULT_LIMITS.stackBytes;

const hasTime = ({ wallMs, cpuMs }: Limits): boolean => Math.min(wallMs, cpuMs) >= PATIENCE_MS;

/** Whether a run within `limits` would have come to the same state: no limit can have had a say in it. */
const isFor = ({ memory }: ModuleState, limits: Limits): boolean =>
  hasUsualStack(limits) && hasTime(limits) && memory.pages * PAGE_BYTES <= limits.memoryBytes;

const sizeOf = ({ memory }: ModuleState): number => ENTRY_BYTES + BYTES_PER_WORD * memory.at.length;

export class ModuleStates {
  readonly #bytesMax: number;
  /** By hash of the program, the one that has not run for longest first. */
  readonly #states = new Map<string, ModuleState>();
  #latest = '';
  #bytes = 0;

  constructor(bytesMax = STATES_BYTES) {
    this.#bytesMax = bytesMax;
  }

  /** The state in which a run within `limits` may begin. */
  of({ program: { hash } }: KnownProgram, limits: Limits): ModuleState | undefined {
    const state = this.#states.get(hash);
    if (state === undefined || !isFor(state, limits)) return undefined;
    if (hash !== this.#latest) {
      this.#states.delete(hash);
      this.#states.set(hash, state);
      this.#latest = hash;
    }
    return state;
  }

  /** A module was evaluated in `tookMs`, and the guest has had no word with the host meanwhile. */
  evaluated(known: KnownProgram, limits: Limits, tookMs: number, instance: Evaluated, namespace: Value): void {
    if (!hasUsualStack(limits) || !hasTime(limits) || tookMs > EVALUATION_MS_MAX) return;
    known.evaluations = (known.evaluations ?? 0) + 1;
    const isFull = this.#bytes >= this.#bytesMax;
    if (isFull ? known.evaluations % EVALUATIONS_PER_EVICTION !== 0 : known.evaluations < EVALUATIONS_MIN) return;
    const state = instance.stateWith(namespace);
    if (state !== undefined) this.#keep(known.program.hash, state);
  }

  #keep(hash: string, state: ModuleState): void {
    this.forget(hash);
    for (const oldest of this.#states.keys()) {
      if (this.#bytes < this.#bytesMax) break;
      this.forget(oldest);
    }
    this.#states.set(hash, state);
    this.#latest = hash;
    this.#bytes += sizeOf(state);
  }

  forget(hash: string): void {
    const state = this.#states.get(hash);
    if (state === undefined) return;
    this.#states.delete(hash);
    this.#bytes -= sizeOf(state);
  }
}
