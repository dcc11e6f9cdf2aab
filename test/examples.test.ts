/** The examples do what their comments say. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Cronkeeper, openCronkeeper } from '../src/app.ts';
import { readDocuments } from '../src/cli/documents.ts';
import { previewSchedule, type ScheduleDocument } from '../src/schedule.ts';
import type { TaskView } from '../src/view.ts';

jest.setTimeout(60_000);

const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));

let keeper: Cronkeeper;
/** What the monitor's look at a health page comes to. */
let health: () => number = () => 200;

beforeEach(async () => {
  health = () => 200;
  keeper = await openCronkeeper({ url: 'embedded:', capabilities: { 'http-status': () => health() } });
  const sources = await readDocuments([EXAMPLES], process.stdin);
  await keeper.tasks.putMany(sources.map(({ document }) => document));
  // Their own rhythm is not wanted here: each is launched by hand.
  for (const { id } of await allTasks()) await keeper.tasks.pause(id);
});

afterEach(() => keeper.close());

const allTasks = async () => (await keeper.tasks.list()).items;

/** Launches a task, and lets it come to its end. */
async function launch(id: string, lingerMs = 0) {
  await keeper.tasks.run(id);
  await keeper.tick({ lingerMs });
  return (await keeper.tasks.runs(id)).items;
}

async function view(id: string): Promise<TaskView> {
  const found = await keeper.tasks.get(id);
  if (found === undefined || found.status === 'quarantined') throw new Error(`no task ${id}`);
  return found as TaskView;
}

test('every one of them is in the list that the README gives', async () => {
  const readme = await readFile(`${EXAMPLES}README.md`, 'utf8');
  const listed = [...readme.matchAll(/^\| \[([\w-]+)\]/gm)].map(([, id]) => id);
  expect(listed.toSorted()).toEqual((await allTasks()).map(({ id }) => id));
});

test('countdown counts in its state and then ends for good', async () => {
  for (const left of [4, 3, 2, 1]) {
    const [run] = await launch('countdown');
    expect(run).toMatchObject({ status: 'succeeded', logs: [`${left} to go`] });
    expect(await view('countdown')).toMatchObject({ state: { left } });
  }
  const [last] = await launch('countdown');
  expect(last).toMatchObject({ status: 'succeeded', logs: ['lift-off'] });
  expect(await view('countdown')).toMatchObject({ status: 'completed', nextAt: null });
});

test('heartbeat counts its beats', async () => {
  expect(await launch('heartbeat')).toMatchObject([{ output: 'beat 1' }]);
  expect(await launch('heartbeat')).toMatchObject([{ output: 'beat 2' }, { output: 'beat 1' }]);
});

test('greeter is launched by the event that its comment names, and by that one once', async () => {
  await keeper.tasks.resume('greeter');
  const order = JSON.parse(await readFile(`${EXAMPLES}events/order.json`, 'utf8'));
  await keeper.emit(order);
  await keeper.emit(order);
  await keeper.emit({ ...order, id: 'small', detail: { ...order.detail, total: 99 } });
  await keeper.tick();
  const { items } = await keeper.tasks.runs('greeter');
  expect(items).toMatchObject([{ eventId: order.id, output: 'Thank you, Ada, for order 7' }]);
});

test('flaky fails twice, and succeeds at its third attempt', async () => {
  await keeper.tasks.resume('flaky');
  const runs = (await launch('flaky', 5_000)).filter(({ manual }) => manual);
  expect(runs.slice(0, 3).map(({ attempt, status }) => [attempt, status])).toEqual([
    [3, 'succeeded'],
    [2, 'failed'],
    [1, 'failed'],
  ]);
  expect(await view('flaky')).toMatchObject({ deadLetters: 0 });
});

test('health-monitor counts failures in a row, alerts at the third, and notices the recovery', async () => {
  expect(await launch('health-monitor')).toMatchObject([{ output: { healthy: true, status: 200, failures: 0 } }]);
  health = () => {
    throw new Error('nobody there');
  };
  await launch('health-monitor');
  await launch('health-monitor');
  const [third] = await launch('health-monitor');
  expect(third).toMatchObject({
    status: 'succeeded',
    output: { healthy: false, status: 'nobody there', failures: 3 },
    logs: ['ALERT: 3 failures in a row, the last one: nobody there'],
  });
  health = () => 200;
  const [back] = await launch('health-monitor');
  expect(back).toMatchObject({ output: { healthy: true, failures: 0 }, logs: ['recovered after 3 failures'] });
});

describe('daily-report', () => {
  test('builds its text from the reports before', async () => {
    const [first] = await launch('daily-report');
    const day = first?.slot.slice(0, 10);
    expect(first).toMatchObject({ output: `Daily report no. 1, ${day}\nThis is the first one.` });
    const [second] = await launch('daily-report');
    expect(second).toMatchObject({ output: expect.stringContaining(`\nBefore it: ${day}.`) });
  });

  test('comes at nine in Berlin, before and after the clocks change', async () => {
    const schedule = (await view('daily-report')).schedule as ScheduleDocument;
    const slots = (from: string) => previewSchedule(schedule, { from, count: 2 });
    expect(slots('2026-03-28T00:00:00Z')).toEqual(['2026-03-28T08:00:00.000Z', '2026-03-29T07:00:00.000Z']);
    expect(slots('2026-10-24T00:00:00Z')).toEqual(['2026-10-24T07:00:00.000Z', '2026-10-25T08:00:00.000Z']);
  });
});
