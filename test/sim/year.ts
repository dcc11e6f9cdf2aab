/** A year of a quiet namespace: every change of daylight saving time on the way, and nothing that piles up. */
import { holdAtRest } from './invariants/rest.ts';
import { holdVerified } from './invariants/verified.ts';
import type { Act, SimTask } from './tasks.ts';
import { scheduleActs } from './users.ts';
import type { Violation } from './violations.ts';
import { Workers } from './workers.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2027, 0, 1, 0, 30);
const END_MS = 365 * DAY_MS;
const MONTHS = 12;
const MONTH_MS = END_MS / MONTHS;
/** From trigger to trigger. */
const PERIOD_MS = 6 * HOUR_MS;
const YEAR_SEED = 1;
const PUT_EVERY_MS = 1_000;
const FAILING_EVERY = 4;
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
  const daily = ZONES.map((timeZone) => ({ cron: '30 2 * * *', timeZone, dst: 'vixie' as const }));
  const midnight = { cron: '0 0 * * *', timeZone: 'America/Havana', dst: 'vixie' as const };
  const hourly = { cron: '5 * * * *', timeZone: 'Europe/Berlin' };
  const shapes = [
    ...[...daily, midnight, { every: '6h' }].map((schedule) => ({ schedule })),
    // Around the changes of the clock alone: most of what a whole year of hours costs shows nothing more.
    { schedule: hourly, start: '2027-03-01T00:00:00Z', end: '2027-04-30T00:00:00Z' },
    { schedule: hourly, start: '2027-10-01T00:00:00Z', end: '2027-11-30T00:00:00Z' },
  ];
  return shapes.map((shape, i) => ({
    document: {
      id: `year-${i}`,
      ...shape,
      ...{ code: 'export default () => 1', history: i % FAILING_EVERY === 0 ? 20 : 3 },
      misfire: { policy: 'all' as const, max: 100 },
      retry: { attempts: 3, backoff: '0s' },
    },
    profile: { kind: i % FAILING_EVERY === 0 ? ('failing' as const) : ('quick' as const), minMs: 1, maxMs: 200 },
  }));
}

/** In each month one task gets new code, and another one is removed and comes back with code of its own. */
function edits(all: readonly SimTask[]): Act[] {
  return Array.from({ length: MONTHS }, (_, month): Act[] => {
    const at = (name: string, day: number) => ({
      id: `${name}:${month}`,
      atMs: month * MONTH_MS + day * DAY_MS,
      user: 0,
    });
    const code = `export default () => ${month + 2}`;
    const { document: edited } = all[month % all.length] as SimTask;
    const { document: removed } = all[(month + 4) % all.length] as SimTask;
    return [
      { ...at('edit', 10), taskId: edited.id, do: { kind: 'put', document: { ...edited, code } } },
      { ...at('remove', 12), taskId: removed.id, do: { kind: 'remove' } },
      {
        ...at('again', 13),
        taskId: removed.id,
        do: { kind: 'put', document: { ...removed, code: `${code}; // again` } },
      },
    ];
  }).flat();
}

export async function simulateYear(): Promise<YearReport> {
  const limits = { isCalm: true };
  const world = new World({ seed: YEAR_SEED, startMs: START_MS, healMs: 0, shards: 1, limits });
  const all = tasks();
  for (const { document, profile } of all) world.profiles.set(document.id, profile);
  const puts = all.map(({ document }, i): Act => {
    return { id: `put:${i}`, atMs: i * PUT_EVERY_MS, user: 0, taskId: document.id, do: { kind: 'put', document } };
  });
  scheduleActs(world, [...puts, ...edits(all)], true);
  const workers = new Workers(world, { workers: 1, periodMs: PERIOD_MS, healMs: 0, untilMs: END_MS, lingering: 0 });
  const nodes: number[] = [];
  for (let month = 1; month <= MONTHS; month++) {
    await world.time.runUntil(month * MONTH_MS);
    nodes.push(world.observer.tree.size);
  }
  await world.time.runUntil(END_MS + PERIOD_MS, () => workers.isIdle);
  workers.holdEnded();
  // What fell due since the last one is still to come.
  holdAtRest(world, END_MS - PERIOD_MS);
  await holdVerified(world);
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
