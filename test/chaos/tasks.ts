/** The tasks that must not be lost, doubled or late: of every kind of schedule and policy. They leave marks outside. Pure. */
import { nextSlot, parseSchedule, type ScheduleDocument } from '../../src/schedule.ts';
import { shardOf, spreadOffsetMs } from '../../src/shard.ts';
import { parseTask, type TaskDocument } from '../../src/task.ts';
import type { CheckedTask } from './evidence.ts';

export const HISTORY = 200;
const TIMEOUT = '6s';

/** The longest that a task waits; none of them computes. */
export const LONGEST_RUN_MS = 4_000;

/** Tells the listener that it runs, waits, tells it that it is through, and fails as often as it is told to. */
const CODE = `export default async (ctx) => {
  const { origin, waitMs, failures } = ctx.input;
  const launch = encodeURIComponent(ctx.idempotencyKey);
  const mark = async (kind) => {
    const url = origin + '/' + kind + '?launch=' + launch + '&attempt=' + ctx.attempt + '&fence=' + ctx.fence;
    const response = await ctx.fetch(url);
    if (!response.ok) throw new Error('the listener answers ' + response.status);
  };
  await mark('start');
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  await mark('end');
  if (ctx.attempt <= failures) throw new Error('as it was told to');
}
`;

interface Kind {
  readonly schedule: ScheduleDocument;
  readonly count: number;
  /** The longest; a task takes a share of it. */
  readonly waitMs: number;
}

const KINDS: readonly Kind[] = [
  { schedule: { every: '1s' }, count: 6, waitMs: 300 },
  { schedule: { every: '2s' }, count: 6, waitMs: 1_200 },
  { schedule: { cron: '*/2 * * * * *' }, count: 2, waitMs: 0 },
  { schedule: { every: '3s' }, count: 8, waitMs: 4_000 },
  { schedule: { every: '5s' }, count: 6, waitMs: 2_500 },
  { schedule: { cron: '1-59/5 * * * * *', timeZone: 'Europe/Berlin' }, count: 4, waitMs: 1_000 },
  { schedule: { every: '10s' }, count: 6, waitMs: 4_000 },
  { schedule: { cron: '7,22,37,52 * * * * *', timeZone: 'America/New_York' }, count: 4, waitMs: 2_000 },
  { schedule: { every: '15s' }, count: 4, waitMs: 3_000 },
  { schedule: { every: '30s' }, count: 4, waitMs: 4_000 },
];

/** A queue must not grow for ever: its task's runs take at most this share of the time between its slots, repeated or not. */
const QUEUED_SHARE = 0.4;

export interface TasksOptions {
  /** Of the listener. */
  readonly origin: string;
  /** Slots lie from here to there, both included. */
  readonly startMs: number;
  readonly endMs: number;
}

export function taskDocuments({ origin, startMs, endMs }: TasksOptions): TaskDocument[] {
  const documents: TaskDocument[] = [];
  for (const { schedule, count, waitMs } of KINDS) {
    for (let i = 0; i < count; i++) {
      const n = documents.length;
      const isQueued = n % 3 === 1;
      const failures = n % 7 === 3 ? 1 : n % 13 === 5 ? 9 : 0;
      const shareMs = (QUEUED_SHARE * intervalMs(schedule)) / (failures === 0 ? 1 : 2);
      const longestMs = isQueued ? Math.min(waitMs, shareMs) : waitMs;
      documents.push({
        id: `${'cron' in schedule ? 'cron' : 'every'}-${String(n).padStart(2, '0')}`,
        schedule,
        code: CODE,
        input: { origin, waitMs: Math.round((longestMs * i) / Math.max(1, count - 1)), failures },
        start: new Date(startMs).toISOString(),
        end: new Date(endMs).toISOString(),
        ...(n % 5 === 2 && { spread: '2s' }),
        misfire: { policy: (['once', 'all', 'skip'] as const)[n % 3] ?? 'once' },
        overlap: isQueued ? 'queue' : 'skip',
        retry: { attempts: failures > 1 ? 2 : 4, backoff: '200ms', max: '1s' },
        timeout: TIMEOUT,
        delivery: n % 4 === 0 ? 'at-most-once' : 'at-least-once',
        capabilities: { fetch: [origin] },
        history: HISTORY,
      });
    }
  }
  return documents;
}

/** Between two slots in the middle of an hour. */
function intervalMs(schedule: ScheduleDocument): number {
  const first = nextSlot(parseSchedule(schedule, ''), 0, 0) ?? 0;
  return (nextSlot(parseSchedule(schedule, ''), first, 0) ?? Infinity) - first;
}

/** What must become of a task: computed apart from the engine's records. */
export function checkedTask(document: TaskDocument, shards: number): CheckedTask {
  const { task } = parseTask(document);
  const { startMs = 0, endMs = 0 } = task;
  const slots: number[] = [];
  for (
    let slotMs = nextSlot(task.schedule, startMs - 1, startMs - 1);
    slotMs !== undefined && slotMs <= endMs;
    slotMs = nextSlot(task.schedule, slotMs, startMs - 1)
  ) {
    slots.push(slotMs);
  }
  const { waitMs } = task.input as { waitMs: number };
  const { id, delivery } = task;
  return { id, slots, offsetMs: spreadOffsetMs(task), shard: shardOf(id, shards), delivery, runMs: waitMs };
}
