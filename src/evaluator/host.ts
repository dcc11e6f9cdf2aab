/** What a run and the guest inside its instance have to do with each other. */

/** What runs inside before a task does, as source: see guest/intrinsics.js. */
export interface Guest {
  /** A function of the door, which returns what {@link GUEST} names. */
  readonly core: string;
  /** By name, functions of what there is in the core. They come when a run first wants them. */
  readonly chapters: Readonly<Record<string, string>>;
}

/** The functions of the core, in the order in which it returns them. */
export const GUEST = { begin: 0, script: 1, module: 2, evaluation: 3, fail: 4, reply: 5, fire: 6 } as const;

/** The file name of task code in stacks and messages. */
export const TASK_FILE = 'task.js';

/** The run's side of the door. */
export interface Host {
  /** How many bytes of a message of this kind are worth reading; the rest is left out. */
  allowance(letter: string): number;
  /** A message of the guest; `bytes` is its whole length. The answer is undefined or a text. */
  receive(letter: string, text: string, bytes: number): string | undefined;
  shouldStop(): boolean;
  /** Epoch ms inside, with fractions. */
  nowMs(): number;
  /** Since the run started. */
  elapsedMs(): number;
}

/** Between runs. */
export const NOBODY: Host = {
  allowance: () => 0,
  receive: () => undefined,
  shouldStop: () => false,
  nowMs: () => 0,
  elapsedMs: () => 0,
};
