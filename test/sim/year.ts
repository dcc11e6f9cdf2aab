/** A year of a quiet namespace: every change of daylight saving time on the way, and nothing that piles up. */
import { holdAtRest } from './invariants/rest.ts';
import type { SimTask } from './tasks.ts';
import { scheduleActs } from './users.ts';
import type { Violation } from './violations.ts';
import { Workers } from './workers.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2027, 0, 1, 0, 30);
const END_MS = 365 * DAY_MS;
const YEAR_SEED = 1;
const PUT_EVERY_MS = 1_000;
/** Pages and directories of a day more or less. */
const NODES_BOUND = 60;

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Havana', 'Asia/Kolkata'];

export interface YearReport {
  readonly slots: number;
  readonly launches: number;
  readonly ticks: number;
  readonly violations: readonly Violation[];
  /** Nodes of the namespace at the end of each month. */
  readonly nodes: readonly number[];
  readonly hash: string;
}

function tasks(): SimTask[] {
  const daily = ZONES.flatMap((timeZone) =>
    ['30 2 * * *', '0 0 * * *'].map((cron) => ({ cron, timeZone, dst: 'vixie' as const })),
  );
  const schedules = [...daily, { cron: '5 * * * *', timeZone: 'Europe/Berlin' }, { every: '1h' }, { every: '6h' }];
  return schedules.map((schedule, i) => ({
    document: {
      id: `year-${i}`,
      ...{ schedule, code: 'export default () => 1', history: 20 },
      misfire: { policy: 'all' as const, max: 100 },
    },
    profile: { kind: 'quick' as const, minMs: 1, maxMs: 200 },
  }));
}

export async function simulateYear(): Promise<YearReport> {
  const limits = { isCalm: true };
  const world = new World({ seed: YEAR_SEED, startMs: START_MS, healMs: 0, shards: 2, limits });
  const all = tasks();
  for (const { document, profile } of all) world.profiles.set(document.id, profile);
  scheduleActs(
    world,
    all.map(({ document }, i) => {
      return { id: `put:${i}`, atMs: i * PUT_EVERY_MS, user: 0, taskId: document.id, do: { kind: 'put', document } };
    }),
    true,
  );
  const workers = new Workers(world, { workers: 1, periodMs: HOUR_MS, healMs: 0, untilMs: END_MS, lingering: 0 });
  const nodes: number[] = [];
  for (let month = 1; month <= 12; month++) {
    await world.time.runUntil((END_MS * month) / 12);
    nodes.push(world.observer.tree.size);
  }
  await world.time.runUntil(END_MS + HOUR_MS, () => workers.isIdle);
  workers.holdEnded();
  // Triggers come once an hour: what fell due since the last one is still to come.
  holdAtRest(world, END_MS - HOUR_MS);
  const [, second = 0] = nodes;
  const last = nodes.at(-1) ?? 0;
  const isFlat = Math.abs(last - second) <= NODES_BOUND;
  world.violations.hold(isFlat, 'I7', () => `nodes pile up: ${second} after two months, ${last} after twelve`);
  await world.close();
  return {
    slots: world.ledger.slots,
    launches: world.runs.executions.length,
    ticks: workers.ticks,
    violations: world.violations.list,
    nodes,
    hash: world.observer.digest(),
  };
}
