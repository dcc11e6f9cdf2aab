/** The trigger, and the processes in which it lets ticks run: some fresh, some kept warm, some abandoned and thawed later. */
import type { Cronkeeper } from '../../src/app.ts';
import { isCronkeeperError, messageOf } from '../../src/errors.ts';
import type { TickOptions } from '../../src/tick.ts';
import { Dice } from './dice.ts';
import { holdReport } from './invariants/ticks.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** What a tick may need beyond its budget, while the coordinator is slow to take what it has done. */
const CLOSING_BOUND_MS = 60_000;

/** Share of the ticks that take a share. */
const SHARING = 0.4;

/** Ordinals of processes: users have the first, invocations those from here. */
const FIRST_ORDINAL = 100;

interface Host {
  readonly process: SimProcess;
  readonly keeper: Cronkeeper;
}

interface Invocation {
  readonly process: SimProcess;
  readonly startedMs: number;
  readonly boundMs: number;
  isSettled: boolean;
}

export interface WorkerOptions {
  readonly workers: number;
  readonly periodMs: number;
  /** Triggers come again by then. */
  readonly healMs: number;
  readonly untilMs: number;
  /** Share of the ticks that stay. */
  readonly lingering: number;
}

export class Workers {
  readonly #world: World;
  readonly #options: WorkerOptions;
  readonly #hosts = new Map<number, Host>();
  readonly #invocations: Invocation[] = [];
  #started = 0;
  #outageUntilMs = -1;

  constructor(world: World, options: WorkerOptions) {
    this.#world = world;
    this.#options = options;
    world.time.after(1_000, () => this.#trigger(0));
  }

  get ticks(): number {
    return this.#invocations.length;
  }

  get isIdle(): boolean {
    return this.#invocations.every(({ isSettled, process }) => isSettled || process.isKilled);
  }

  /** At the end. */
  holdEnded(): void {
    const { violations } = this.#world;
    for (const invocation of this.#invocations) {
      if (invocation.isSettled || invocation.process.isKilled) continue;
      violations.add('I13', `the tick of ${invocation.process.name} at ${invocation.startedMs} ms has not ended`);
    }
  }

  #trigger(count: number): void {
    const { time, faults } = this.#world;
    const { periodMs, healMs, untilMs, workers } = this.#options;
    if (time.nowMs >= untilMs) return;
    time.after(periodMs, () => this.#trigger(count + 1));
    const outage = faults.draw('outage', 'trigger', count);
    if (outage !== undefined) this.#outageUntilMs = Math.min(time.nowMs + outage.between(90_000, 200_000), healMs);
    if (time.nowMs < this.#outageUntilMs) return;
    const dice = new Dice(this.#world.seed, 'trigger', count);
    const lateMs = faults.draw('tardy', 'trigger', count)?.between(500, periodMs / 2) ?? 0;
    const times = faults.draw('double', 'trigger', count) === undefined ? 1 : 2;
    const worker = dice.between(0, workers - 1);
    for (let i = 0; i < times; i++) {
      time.after(lateMs + dice.between(0, 900), () => void this.#invoke((worker + i) % workers, 2 * count + i));
    }
  }

  async #invoke(worker: number, count: number): Promise<void> {
    const dice = new Dice(this.#world.seed, 'invocation', count);
    const warm = this.#hosts.get(worker);
    const isWarm = warm !== undefined && !warm.process.isKilled && dice.hit(0.6);
    const host = isWarm ? warm : await this.#open(`w${worker}.${count}`, FIRST_ORDINAL + count);
    this.#hosts.set(worker, host);
    host.process.thaw();
    host.process.deliver(() => void this.#tick(host, count, dice));
  }

  async #open(name: string, ordinal: number): Promise<Host> {
    const process = this.#world.process(name, ordinal);
    return { process, keeper: await this.#world.keeper(process) };
  }

  /** Some take no more than a part of the shards at a time, and the others come beside them. */
  #share(count: number): TickOptions {
    const dice = new Dice(this.#world.seed, 'share', count);
    return dice.hit(SHARING) ? { shardsMax: dice.between(1, 2) } : {};
  }

  async #tick({ process, keeper }: Host, count: number, dice: Dice): Promise<void> {
    const { time, violations, observer } = this.#world;
    const { periodMs, lingering } = this.#options;
    const lingerMs = dice.hit(lingering) ? Math.round(periodMs * dice.pick([0.5, 0.9, 1.3])) : 0;
    const budgetMs = Math.max(lingerMs, 10_000) + dice.pick([35_000, 50_000]);
    const startedMs = time.nowMs;
    const invocation: Invocation = { process, startedMs, boundMs: budgetMs + CLOSING_BOUND_MS, isSettled: false };
    this.#invocations.push(invocation);
    const number = ++this.#started;
    process.invocation = number;
    const signal = this.#strike(process, count);
    const standby = dice.hit(0.3);
    const options = { lingerMs, budgetMs, standby, ...this.#share(count), ...(signal !== undefined && { signal }) };
    try {
      const report = await keeper.tick(options);
      const sessions = this.#world.sessionsOf(process, number);
      holdReport(report, sessions, (taskId) => observer.layout.shardOf(taskId), this.#world);
    } catch (error) {
      const isExpected = isCronkeeperError(error, 'unavailable', 'session-lost', 'outcome-unknown');
      const isHit = process.hits.length > 0 || this.#world.faults.injected.length > 0;
      violations.hold(isExpected && isHit, 'I13', () => `the tick of ${process.name} failed: ${messageOf(error)}`);
    }
    invocation.isSettled = true;
    this.#holdInTime(invocation);
  }

  #holdInTime({ process, startedMs, boundMs }: Invocation): void {
    const { time, violations } = this.#world;
    const tookMs = time.nowMs - startedMs;
    const wasFrozen = process.hits.some(({ kind, untilMs }) => kind === 'freeze' && untilMs >= startedMs);
    const isInTime = wasFrozen || tookMs <= boundMs;
    violations.hold(isInTime, 'I13', () => `the tick of ${process.name} took ${tookMs} ms; bound: ${boundMs} ms`);
  }

  /** What happens to an invocation in the middle. */
  #strike(process: SimProcess, count: number): AbortSignal | undefined {
    const { time, faults } = this.#world;
    const later = (dice: Dice, what: () => void) => time.after(dice.between(5, 30_000), what);
    const leftover = faults.draw('leftover', process.name, count);
    if (leftover !== undefined) later(leftover, () => process.freeze(leftover.between(30_000, 150_000)));
    const step = faults.draw('step', process.name, count);
    if (step !== undefined) {
      later(step, () => {
        process.skewMs += step.between(-300_000, 300_000);
      });
    }
    const stop = faults.draw('stop', process.name, count);
    if (stop === undefined) return undefined;
    const controller = new AbortController();
    later(stop, () => process.deliver(() => controller.abort()));
    return controller.signal;
  }
}
