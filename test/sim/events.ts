/** In some worlds: a task that events launch, and who sends them, some of them again and again. From dice of their own. */
import type { TaskDocument } from '../../src/task.ts';
import { Dice } from './dice.ts';
import type { Act, SimTask } from './tasks.ts';

const WORLDS_SHARE = 0.3;

export function drawHearing(seed: number): SimTask[] {
  const dice = new Dice(seed, 'hearing');
  if (!dice.hit(WORLDS_SHARE)) return [];
  const kind = dice.pick(['quick', 'quick', 'slow', 'failing', 'completing'] as const);
  const document: TaskDocument = {
    id: 'hearing',
    on: [{ source: 'bus' }],
    code: `export default () => ${JSON.stringify(kind)}`,
    timeout: '30s',
    retry: { attempts: dice.between(1, 3), backoff: dice.pick(['0s', '5s']) },
    history: dice.pick([1, 20]),
    ...(dice.hit(0.4) && { schedule: { every: dice.pick(['30s', '2m']) } }),
    ...(dice.hit(0.3) && { delivery: 'at-most-once' as const }),
  };
  return [{ document, profile: { kind, minMs: 1, maxMs: kind === 'slow' ? 5_000 : 500 } }];
}

export function drawEvents(seed: number, [task]: readonly SimTask[], untilMs: number): Act[] {
  if (task === undefined) return [];
  const { document } = task;
  const put: Act = { id: 'put:hearing', atMs: 500, user: 0, taskId: document.id, do: { kind: 'put', document } };
  const count = new Dice(seed, 'events').between(5, 30);
  const later = Array.from({ length: count }, (_, i): Act => {
    const dice = new Dice(seed, 'event', i);
    const act = { id: `event:${i}`, atMs: dice.between(5_000, untilMs), user: dice.between(0, 1), taskId: document.id };
    if (dice.hit(0.8)) return { ...act, do: { kind: 'emit', eventId: `e${dice.between(0, count)}` } };
    const kind = dice.pick(['put', 'put', 'pause', 'resume', 'resume', 'remove'] as const);
    if (kind !== 'put') return { ...act, do: { kind } };
    const silent = { ...document, on: [{ source: 'elsewhere' }] };
    return { ...act, do: { kind, document: dice.hit(0.3) ? silent : document } };
  });
  return [put, ...later];
}
