/** One seed: a world is made, things go wrong in it, they stop going wrong, and everything must come right. */
import { Dice } from './dice.ts';
import { drawEvents, drawHearing } from './events.ts';
import type { Injected } from './faults.ts';
import { holdAtRest } from './invariants/rest.ts';
import { holdVerified } from './invariants/verified.ts';
import { type Act, drawActs, drawTasks, type SimTask } from './tasks.ts';
import { scheduleActs } from './users.ts';
import type { Violation } from './violations.ts';
import { Workers } from './workers.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;
/** Faults and edits until then. */
export const HEAL_MS = 5 * MINUTE_MS;
/** Triggers until then. */
export const END_MS = 10 * MINUTE_MS;
/** Everything has ended by then. */
const REST_MS = END_MS + 4 * MINUTE_MS;
const YEAR_MS = 365 * 86_400_000;

export interface SimOptions {
  /** Only these faults, of all that the seed brings. */
  readonly faults?: ReadonlySet<string>;
  /** Likewise acts, and so tasks. */
  readonly acts?: ReadonlySet<string>;
}

export interface SimReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly injected: readonly Injected[];
  readonly rates: Readonly<Record<string, number>>;
  readonly acts: readonly Act[];
  readonly tasks: readonly SimTask[];
  readonly slots: number;
  readonly launches: number;
  readonly reruns: number;
  readonly ticks: number;
  readonly events: number;
  /** Of everything that was written and run, in order. */
  readonly hash: string;
}

/** Rejections that nobody has caught belong to the world that is running. */
let onUnhandled: (reason: unknown) => void = () => undefined;
process.on('unhandledRejection', (reason) => onUnhandled(reason));

export async function simulate(seed: number, options: SimOptions = {}): Promise<SimReport> {
  const dice = new Dice(seed, 'world');
  const startMs = Date.UTC(2027, 0, 1) + Math.floor((dice.next() * YEAR_MS) / 1_000) * 1_000;
  const shards = dice.between(1, 4);
  const limits = options.faults === undefined ? {} : { only: options.faults };
  const world = new World({ seed, startMs, healMs: HEAL_MS, shards, limits });
  onUnhandled = (reason) => world.violations.add('I13', `nobody caught: ${String((reason as Error)?.stack ?? reason)}`);
  const hasPoison = world.faults.draw('poison', 'world', 0) !== undefined;
  const scheduled = drawTasks(seed, startMs, hasPoison);
  const hearing = drawHearing(seed);
  const tasks = [...scheduled, ...hearing];
  for (const { document, profile } of tasks) world.profiles.set(document.id, profile);
  const all = [...drawActs(seed, scheduled, startMs, HEAL_MS), ...drawEvents(seed, hearing, HEAL_MS)];
  const acts = options.acts === undefined ? all : all.filter(({ id }) => options.acts?.has(id));
  scheduleActs(world, acts);
  const periodMs = dice.hit(0.25) ? 10_000 : MINUTE_MS;
  const workers = new Workers(world, {
    ...{ workers: dice.between(1, 3), periodMs, healMs: HEAL_MS, untilMs: END_MS, lingering: dice.pick([0, 0.3, 0.8]) },
  });
  await world.time.runUntil(END_MS);
  await world.time.runUntil(REST_MS, () => workers.isIdle);
  await world.time.runUntil(world.time.nowMs + 15_000);
  workers.holdEnded();
  holdAtRest(world, END_MS);
  await holdVerified(world);
  await world.close();
  return {
    ...{ seed, acts, tasks },
    violations: world.violations.list,
    injected: world.faults.injected,
    rates: Object.fromEntries(world.faults.rates),
    slots: world.ledger.slots,
    launches: world.runs.executions.length,
    reruns: world.runs.reruns,
    ticks: workers.ticks,
    events: world.time.events,
    hash: world.observer.digest(),
  };
}
