/** A run with everything filled in, and its outcome: what every evaluator test starts from. */
import { afterAll, beforeAll } from '@jest/globals';
import {
  DEFAULT_LIMITS,
  type Evaluator,
  type Limits,
  type Run,
  type RunContext,
  type Started,
} from '../../../src/evaluator.ts';
import type { Outcome } from '../../../src/launch.ts';
import { programOf } from '../../../src/program.ts';

/** Long enough for a loaded machine; no test waits for it but those that mean to. */
const PATIENT_MS = 20_000;

export const SLOT_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const NOW_MS = SLOT_MS + 250;

export interface Given extends Partial<Omit<Run, 'program' | 'context' | 'limits'>> {
  readonly context?: Partial<RunContext>;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

export const runOf = (source: string, { context, limits, signal: _, ...rest }: Given = {}): Run => ({
  program: programOf(source),
  context: {
    taskId: 'report',
    slotMs: SLOT_MS,
    attempt: 1,
    fence: 7,
    idempotencyKey: `report@${SLOT_MS}`,
    input: null,
    state: null,
    ...context,
  },
  nowMs: NOW_MS,
  seed: '1',
  limits: { ...DEFAULT_LIMITS, wallMs: PATIENT_MS, cpuMs: PATIENT_MS, ...limits },
  capabilities: {},
  ...rest,
});

export class Bench {
  #evaluator: Evaluator | undefined;

  get evaluator(): Evaluator {
    if (this.#evaluator === undefined) throw new Error('the bench is set up in beforeAll');
    return this.#evaluator;
  }

  /** Opens one evaluator for the tests of the surrounding block. */
  static use(open: () => Promise<Evaluator>): Bench {
    const bench = new Bench();
    beforeAll(async () => {
      bench.#evaluator = await open();
    });
    afterAll(() => bench.#evaluator?.close());
    return bench;
  }

  /** Runs some at a time; outcomes in their order. */
  async all(runs: readonly Run[], signal?: AbortSignal): Promise<(Outcome & Started)[]> {
    const outcomes: (Outcome & Started)[] = [];
    await this.evaluator.run(
      runs,
      (index, outcome) => {
        if (outcomes[index] !== undefined) throw new Error(`run ${index} was reported twice`);
        outcomes[index] = outcome;
      },
      signal,
    );
    return outcomes;
  }

  async outcome(source: string, given: Given = {}): Promise<Outcome & Started> {
    const [outcome] = await this.all([runOf(source, given)], given.signal);
    if (outcome === undefined) throw new Error('the run was not reported');
    return outcome;
  }

  /** The value of a run that succeeds. */
  async value(source: string, given: Given = {}): Promise<unknown> {
    const { status, value, error } = await this.outcome(source, given);
    if (status !== 'succeeded') throw new Error(`${error?.class}: ${error?.message}`);
    return value;
  }

  /** The error of a run that does not succeed. */
  async error(source: string, given: Given = {}): Promise<NonNullable<Outcome['error']>> {
    const { error, value } = await this.outcome(source, given);
    if (error === undefined) throw new Error(`it succeeded with ${JSON.stringify(value)}`);
    return error;
  }
}
