/** The tasks of a world, and what its users do to them: drawn from the seed before the world begins. */
import type { ScheduleDocument } from '../../src/schedule.ts';
import type { TaskDocument } from '../../src/task.ts';
import { Dice } from './dice.ts';
import type { Profile } from './evaluator.ts';

export interface SimTask {
  readonly document: TaskDocument;
  readonly profile: Profile;
}

export interface Act {
  readonly id: string;
  readonly atMs: number;
  readonly user: number;
  readonly taskId: string;
  readonly do:
    | { readonly kind: 'put'; readonly document: TaskDocument }
    | { readonly kind: 'pause' | 'resume' | 'remove' }
    | { readonly kind: 'run'; readonly key?: string }
    | { readonly kind: 'emit'; readonly eventId: string };
}

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'];
const CRONS = ['* * * * *', '*/2 * * * *', '*/3 * * * *', '*/20 * * * * *', '30 * * * * *', '*/5 * * * *'];
const EVERY = ['10s', '15s', '30s', '45s', '1m', '90s', '2m', '3m', '5m'];

export function drawTasks(seed: number, startMs: number, hasPoison: boolean): SimTask[] {
  const count = new Dice(seed, 'tasks').between(3, 14);
  const tasks = Array.from({ length: count }, (_, i) => {
    const { document, profile } = drawTask(new Dice(seed, 'task', i), `t${i}`, startMs);
    return { document: { ...document, ...drawDestinations(new Dice(seed, 'destinations', i), i, count) }, profile };
  });
  return hasPoison ? [...tasks, poison(new Dice(seed, 'poison task'), startMs)] : tasks;
}

/** Kills whoever runs it, a few times over the life of the world. */
function poison(dice: Dice, startMs: number): SimTask {
  const at = new Date(startMs + dice.between(60_000, 200_000)).toISOString();
  const document = { id: 'poison', schedule: { at }, code: 'while (true);', retry: { attempts: dice.between(1, 3) } };
  return { document, profile: { kind: 'poison', minMs: 0, maxMs: dice.pick([5, 500, 1_500]) } };
}

function drawTask(dice: Dice, id: string, startMs: number): SimTask {
  const kind = dice.pick(['quick', 'quick', 'quick', 'slow', 'failing', 'timing-out', 'moving', 'completing'] as const);
  const [minMs, maxMs] = kind === 'slow' ? [2_000, 25_000] : kind === 'timing-out' ? [1_000, 12_000] : [1, 800];
  const document: TaskDocument = {
    id,
    schedule: drawSchedule(dice, startMs),
    code: `export default () => ${JSON.stringify(kind)}`,
    timeout: kind === 'slow' ? '30s' : dice.pick(['5s', '10s']),
    misfire: {
      policy: dice.pick(['once', 'all', 'all', 'skip'] as const),
      max: dice.pick([3, 100]),
      ...(dice.hit(0.2) && { window: dice.pick(['30s', '2m']) }),
    },
    overlap: dice.pick(['skip', 'queue'] as const),
    retry: { attempts: dice.between(1, 4), backoff: dice.pick(['0s', '1s', '10s']), max: '30s' },
    history: dice.pick([1, 5, 20, 200]),
    ...(dice.hit(0.25) && { delivery: 'at-most-once' as const }),
    ...(dice.hit(0.2) && { spread: dice.pick(['5s', '30s']) }),
    ...(dice.hit(0.15) && { maxRuns: dice.between(1, 12) }),
    ...(dice.hit(0.1) && { end: new Date(startMs + dice.between(120_000, 600_000)).toISOString() }),
    ...(dice.hit(0.1) && { start: new Date(startMs + dice.between(0, 110_000)).toISOString() }),
  };
  return { document, profile: { kind, minMs, maxMs } };
}

/** Some are told of a task's launches; chains lead to any task but itself, and so in circles too. */
function drawDestinations(dice: Dice, own: number, count: number): Pick<TaskDocument, 'onSuccess' | 'onFailure'> {
  if (!dice.hit(0.3)) return {};
  const url = { url: `https://${dice.pick(['a', 'b'])}.example.com/` };
  const next = { task: `t${(own + dice.between(1, count - 1)) % count}` };
  return {
    onSuccess: dice.pick([[url], [next], [url, next], [next, url]]),
    ...(dice.hit(0.5) && { onFailure: dice.pick([[url], [next]]) }),
  };
}

function drawSchedule(dice: Dice, startMs: number): ScheduleDocument {
  const kind = dice.pick(['every', 'every', 'every', 'cron', 'cron', 'at', 'after'] as const);
  if (kind === 'every') return { every: dice.pick(EVERY) };
  if (kind === 'cron') return { cron: dice.pick(CRONS), timeZone: dice.pick(ZONES) };
  if (kind === 'at') return { at: new Date(startMs + dice.between(10_000, 500_000)).toISOString() };
  return { after: `${dice.between(1, 300)}s` };
}

export function drawActs(seed: number, tasks: readonly SimTask[], startMs: number, untilMs: number): Act[] {
  const puts = tasks.map(({ document }, i): Act => {
    const atMs = new Dice(seed, 'first put', i).between(0, 8_000);
    return { id: `put:${i}`, atMs, user: 0, taskId: document.id, do: { kind: 'put', document } };
  });
  const mutable = tasks.filter(({ profile }) => profile.kind !== 'poison');
  const count = new Dice(seed, 'acts').between(0, 20);
  const later = Array.from({ length: count }, (_, i): Act => {
    const dice = new Dice(seed, 'act', i);
    const { document } = dice.pick(mutable);
    const act = { id: `act:${i}`, atMs: dice.between(10_000, untilMs), user: dice.between(0, 1), taskId: document.id };
    const kind = dice.pick(['put', 'put', 'pause', 'resume', 'resume', 'remove', 'run', 'run', 'run'] as const);
    if (kind === 'run') return { ...act, do: { kind, ...(dice.hit(0.7) && { key: `k${dice.between(0, 3)}` }) } };
    if (kind !== 'put') return { ...act, do: { kind } };
    const changed = dice.hit(0.5)
      ? { ...document, schedule: drawSchedule(dice, startMs) }
      : { ...document, code: `${document.code}/* ${i} */` };
    return { ...act, do: { kind, document: dice.hit(0.3) ? document : changed } };
  });
  return [...puts, ...later];
}
