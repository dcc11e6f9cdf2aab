/** A tick that calls others: the function invokes itself for shards whose work it cannot get through. See `fan-out.ts`. */
import { type Cronkeeper, openAws } from '../app.ts';
import { type Clock, sleep, systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { CronkeeperError, messageOf } from '../errors.ts';
import { type Asker, fanOut, type Invocation } from '../fan-out.ts';
import type { Log } from '../log.ts';
import type { TickCommand } from '../trigger.ts';

/** After the tick, so long for the answers that are still out: within what a handler keeps back of its time. */
const ANSWERS_MS = 300;

/** Queues an invocation and does not wait for it. `functionName`: a name or an ARN. */
export type Invoke = (functionName: string, payload: unknown) => Promise<void>;

type Ticks = Pick<Cronkeeper, 'tick'>;

/** What ticks as `command` says. `functionName`: as Lambda names the one that runs, its alias included. */
export type Together = (keeper: Ticks, command: TickCommand, functionName: string | undefined) => Ticks;

export interface Means {
  readonly invoke?: Invoke | undefined;
  readonly log: Log;
  readonly clock?: Clock | undefined;
}

/**
 * Ticks that take their share and call for others: while they are busy, for shards that nobody holds; when their time is
 * up, for those in which they leave work. Calls are a matter of speed: one that fails is logged, and what it was for is
 * still due.
 */
export function together({ shardsPerTick, fanOutMax, aws }: Config, means: Means): Together {
  const { log, clock = systemClock } = means;
  const invoke = means.invoke ?? (aws && openAws(aws, clock).invokeAsync) ?? cannotInvoke;
  return (keeper, { shards, generation, lingerMs }, functionName) => {
    const max = functionName ? fanOutMax : 0;
    const share = { ...(shards !== undefined && { shards }), ...(shardsPerTick > 0 && { shardsMax: shardsPerTick }) };
    const asker: Asker = {
      ...{ max, shardsPerTick },
      ...(shards !== undefined && { shards }),
      ...(generation !== undefined && { generation }),
      ...(lingerMs !== undefined && { lingerMs }),
    };
    const tick: Cronkeeper['tick'] = async (options) => {
      const calls = new Calls(asker, (invocation) => invoke(functionName ?? '', invocation), log);
      const onWaiting = (waiting: readonly number[]) => calls.make(waiting);
      try {
        const report = await keeper.tick({ ...options, ...share, ...(max > 0 && { onWaiting }) });
        if (max > 0) calls.make(report.loadedShards);
        return report;
      } finally {
        await calls.answered(clock);
      }
    };
    return { tick };
  };
}

/** What one tick has called for. */
class Calls {
  readonly #asker: Asker;
  readonly #invoke: (invocation: Invocation) => Promise<void>;
  readonly #log: Log;
  readonly #made: Invocation[] = [];
  readonly #answers: Promise<void>[] = [];

  constructor(asker: Asker, invoke: (invocation: Invocation) => Promise<void>, log: Log) {
    this.#asker = asker;
    this.#invoke = invoke;
    this.#log = log;
  }

  make(loaded: readonly number[]): void {
    for (const invocation of fanOut(this.#asker, loaded, this.#made)) {
      const { shards, generation } = invocation;
      const told = () => this.#log('info', 'fan-out', { shards, generation });
      const failed = (error: unknown) =>
        this.#log('warn', 'fan-out failed', { shards, generation, error: messageOf(error) });
      this.#made.push(invocation);
      this.#answers.push(this.#invoke(invocation).then(told, failed));
    }
  }

  async answered(clock: Clock): Promise<void> {
    if (this.#answers.length === 0) return;
    const over = new AbortController();
    await Promise.race([Promise.all(this.#answers), sleep(clock, ANSWERS_MS, over.signal)]);
    over.abort();
  }
}

const cannotInvoke: Invoke = async () => {
  throw new CronkeeperError('invalid', 'CRONKEEPER_FAN_OUT_MAX: there are no credentials of AWS to invoke with');
};
