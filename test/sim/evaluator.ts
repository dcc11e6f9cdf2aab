/** The sandbox of a process, simulated: runs that last as long, and come to what, the seed says. Logs what truly ran. */
import type { Evaluator, OutcomeListener, Run, Started } from '../../src/evaluator.ts';
import type { Outcome, RunError, RunErrorClass } from '../../src/launch.ts';
import { Dice } from './dice.ts';
import type { Faults } from './faults.ts';
import type { SimProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Profile {
  readonly kind: 'quick' | 'slow' | 'failing' | 'timing-out' | 'moving' | 'completing' | 'poison';
  readonly minMs: number;
  readonly maxMs: number;
}

/** One start of one attempt, as seen from outside of the coordinator. */
export interface Execution {
  readonly taskId: string;
  readonly slotMs: number;
  readonly attempt: number;
  readonly fence: number;
  readonly process: SimProcess;
  readonly startedMs: number;
  endedMs?: number;
  end?: 'finished' | 'cancelled' | 'worker-lost';
}

export interface EvaluatorWorld {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly faults: Faults;
  profileOf(taskId: string): Profile;
  readonly started: (execution: Execution) => void;
  readonly askedFor: (taskId: string, nextAtMs: number) => void;
}

const FAILURES: readonly RunErrorClass[] = ['Thrown', 'Memory', 'Stalled', 'EngineTrap'];
const START_MS = 20;

export class SimEvaluator implements Evaluator {
  readonly #world: EvaluatorWorld;
  readonly #process: SimProcess;
  #runs = 0;

  constructor(world: EvaluatorWorld, process: SimProcess) {
    this.#world = world;
    this.#process = process;
  }

  async run(batch: readonly Run[], onOutcome: OutcomeListener, signal?: AbortSignal): Promise<void> {
    await Promise.all(
      batch.map(
        (run, index) =>
          new Promise<void>((resolve) => {
            const done = (outcome: Outcome & Started) => {
              onOutcome(index, outcome);
              resolve();
            };
            this.#begin(run, done, signal);
          }),
      ),
    );
  }

  async check(): Promise<RunError | undefined> {
    return undefined;
  }

  async close(): Promise<void> {}

  #begin(run: Run, done: (outcome: Outcome & Started) => void, signal: AbortSignal | undefined): void {
    const { clock } = this.#process;
    const { taskId, slotMs, attempt, fence } = run.context;
    const ordinals = [slotMs % 1_000_000_007, attempt, fence, this.#process.ordinal, this.#runs++] as const;
    const dice = new Dice(this.#world.seed, `run ${taskId}`, ...ordinals);
    let execution: Execution | undefined;
    let startedMs = clock.now();
    let sinceMs = clock.elapsed();
    const end = (how: NonNullable<Execution['end']>, outcome: Partial<Outcome>, hasStarted = true) => {
      cancel();
      signal?.removeEventListener('abort', aborted);
      if (execution !== undefined) {
        execution.end = how;
        execution.endedMs = this.#world.time.nowMs;
      }
      const usage = { wallMs: clock.elapsed() - sinceMs, cpuMs: 1, peakBytes: 65_536, hostCalls: 0 };
      const fixed = { status: 'failed' as const, logs: [], truncated: false, usage, startedMs };
      done({ ...fixed, ...outcome, ...(!hasStarted && { hasStarted: false as const }) });
    };
    const aborted = () => end('cancelled', { error: errorOf('Cancelled') }, execution !== undefined);
    let cancel = clock.after((run.delayMs ?? 0) + dice.between(0, START_MS), () => {
      startedMs = clock.now();
      sinceMs = clock.elapsed();
      execution = { taskId, slotMs, attempt, fence, process: this.#process, startedMs: this.#world.time.nowMs };
      this.#world.started(execution);
      const lost = this.#world.faults.draw('worker-lost', this.#process.name, ...ordinals);
      const profile = this.#world.profileOf(taskId);
      const lastsMs = dice.between(profile.minMs, profile.maxMs);
      const isTimeout = lastsMs >= run.limits.wallMs;
      cancel = clock.after(Math.min(lastsMs, run.limits.wallMs), () => {
        if (profile.kind === 'poison') this.#process.kill('poison');
        else if (lost !== undefined) end('worker-lost', { error: errorOf('WorkerLost') });
        else if (isTimeout) end('finished', { status: 'timed-out', error: errorOf('Timeout') });
        else end('finished', this.#outcome(profile, run, dice));
      });
    });
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
  }

  #outcome({ kind }: Profile, { context }: Run, dice: Dice): Partial<Outcome> {
    if (dice.hit(kind === 'failing' ? 0.6 : 0.03)) return { error: errorOf(dice.pick(FAILURES)) };
    const count = (context.state as { count?: number } | null)?.count ?? 0;
    const base = { status: 'succeeded' as const, value: { attempt: context.attempt } };
    if (kind === 'completing') {
      return { ...base, state: { count: count + 1 }, ...(count >= 3 && { completed: true as const }) };
    }
    if (kind !== 'moving') return dice.hit(0.2) ? { ...base, state: { count: count + 1 } } : base;
    const nextAt = this.#world.time.wallMs + dice.between(-5_000, 120_000);
    this.#world.askedFor(context.taskId, nextAt);
    return { ...base, nextAt };
  }
}

const errorOf = (cls: RunErrorClass): RunError => ({ class: cls, name: cls, message: `simulated ${cls}` });
