/** What a hostile case is: code that wants out, wants more, or wants to stay, and what must not come of it. */
import type { Limits } from '../../src/evaluator.ts';
import type { RunErrorClass } from '../../src/launch.ts';

/** How a run may end: with a value, or with an error of this class. */
export type End = 'succeeded' | RunErrorClass;

/** What the host lends to every hostile run; see arena.ts. */
export type CapabilityName = 'add' | 'echo' | 'boom' | 'toss' | 'slow' | 'merge';

interface Expectations {
  readonly name: string;
  /** What must not happen. */
  readonly forbids: string;
  /** The only ways in which the run may end. */
  readonly ends: readonly End[];
  /** The value of a run that succeeds, where it matters. */
  readonly value?: unknown;
  /** What must not be found anywhere in the outcome, besides what no outcome may hold. */
  readonly never?: RegExp;
  /** How often the host may be called, by its own count. */
  readonly callsAtMost?: Partial<Readonly<Record<CapabilityName, number>>>;
  /** Default `{ a: 1 }`. */
  readonly input?: unknown;
  readonly limits?: Partial<Limits>;
  /** What is wrong today: the case fails, and says so when it no longer does. */
  readonly defect?: string;
  /** The caller gives up after so long; 0: before it starts. */
  readonly cancelAfterMs?: number;
}

export type HostileCase = Expectations &
  (
    | {
        /** Body of `export default async (ctx) => { … }`. */
        readonly code: string;
      }
    | {
        /** The whole source, module or script. */
        readonly source: string;
      }
  );

export const sourceOf = (given: HostileCase): string =>
  'source' in given ? given.source : `export default async (ctx) => {\n${given.code}\n}`;

/** It computes for ever, and is stopped. */
export const STOPPED: readonly End[] = ['Timeout'];
/** It asks for more memory than there is, or for so much that its time is over first. */
export const STARVED: readonly End[] = ['Memory', 'Timeout'];
/** The same, where the engine may refuse such a size with an error of its own. */
export const REFUSED: readonly End[] = ['Memory', 'Timeout', 'Thrown'];
/** It goes too deep. */
export const TOO_DEEP: readonly End[] = ['StackOverflow', 'Memory', 'Timeout'];
/** It may do as it likes to its own run. */
export const ITS_OWN_LOSS: readonly End[] = ['succeeded', 'Thrown', 'Stalled', 'ResultNotSerializable'];
