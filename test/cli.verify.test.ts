/** `cronkeeper verify`, as a user or a script runs it: also on records that somebody has changed by hand. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { openCronkeeper } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { openEmbedded } from '../src/coordinator/embedded.ts';
import { createLayout } from '../src/layout.ts';
import type { TaskRecord } from '../src/record.ts';
import type { TaskDocument } from '../src/task.ts';
import { cli, type Ended } from './support/cli.ts';

jest.setTimeout(120_000);

const layout = createLayout('default', 8);
const MINUTE_MS = 60_000;

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cronkeeper-verify-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const database = () => join(cwd, 'tasks.db');
const verify = (...args: string[]): Promise<Ended> => cli(['verify', '--url', 'embedded:./tasks.db', ...args], { cwd });

/** Tasks that were put an hour ago, launched now: their slots are skipped, but for the latest. */
async function launched(...documents: readonly Partial<TaskDocument>[]): Promise<void> {
  const clock = { ...systemClock, now: () => systemClock.now() - 60 * MINUTE_MS };
  const url = `embedded:${database()}`;
  const past = await openCronkeeper({ url, clock });
  for (const document of documents)
    await past.tasks.put({ id: 't', schedule: { every: '1m' }, code: '1', ...document });
  await past.close();
  const keeper = await openCronkeeper({ url });
  await keeper.tick();
  await keeper.close();
}

/** Changes what is stored of a task, past the keeper. */
async function falsify(id: string, change: (record: TaskRecord) => TaskRecord): Promise<void> {
  const coordinator = openEmbedded({ path: database(), sessionTimeoutMs: 10_000, clock: systemClock });
  const session = await coordinator.connect();
  const node = await session.get(layout.task(id));
  const data = JSON.stringify(change(JSON.parse(node?.data ?? '')));
  await session.multi([{ op: 'set', path: layout.task(id), data }]);
  await session.close();
  await coordinator.close();
}

test('says that the records of all tasks add up, and how many slots that were', async () => {
  await launched({}, { id: 'report', schedule: { every: '10m' } });
  const { code, stdout, stderr } = await verify();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^\d+ slots of 2 tasks up to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: 2 launched, \d+ skipped, 0 to be/,
  );
  expect(stdout).toMatch(/^✓ every slot that was decided has one record$/m);
  const found = JSON.parse((await verify('--json', '--prefix', 're')).stdout);
  expect(found).toMatchObject({ holds: true, tasks: 1, launched: 1, problems: [], notProven: [] });
  expect(found.slots).toBe(found.launched + found.skipped);
});

test('finds a record that somebody has taken out, and a run at a time that is none', async () => {
  await launched({}, { id: 'moved' }, { id: 'sound' });
  await falsify('t', (record) => ({ ...record, runs: record.runs.slice(1) }));
  await falsify('moved', ({ runs: [first, ...others], ...record }) => ({
    ...record,
    runs: [{ ...first, slotMs: (first as { slotMs: number }).slotMs + 1_000 } as never, ...others],
  }));
  const { code, stdout, stderr } = await verify();
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout).toMatch(/^TASK +SLOT +PROBLEM +WHY$/m);
  expect(stdout).toMatch(/^t +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +missing +decided, and in no record/m);
  expect(stdout).toMatch(/^moved .* missing /m);
  expect(stdout).toMatch(/^moved .* unexpected +succeeded, where neither/m);
  expect(stdout).toMatch(/^✗ the records do not add up: 3 problems$/m);
  const found = await verify('--json');
  expect(found.code).toBe(1);
  expect(JSON.parse(found.stdout)).toMatchObject({ holds: false, tasks: 3 });
  expect(await verify('--prefix', 's')).toMatchObject({ code: 0 });
  // What was decided later is not looked at.
  expect(await verify('--to', new Date(Date.now() - 120 * MINUTE_MS).toISOString())).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('0 slots of 3 tasks'),
  });
});

test('says of which tasks less can be proven than was asked for', async () => {
  await launched({});
  const { code, stdout } = await verify('--from', '2020-01-01T00:00:00Z');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^TASK +PROVEN SINCE +WHY NOT EARLIER\nt +\d{4}-.* its schedule was set then$/m);
});

test('refuses what it cannot look at', async () => {
  const cases: [string[], RegExp][] = [
    [['--from', 'yesterday'], /--from/],
    [['--to', '2026-13-01'], /--to/],
    [['--endpoint', 'http://127.0.0.1:1'], /verify works on the registry itself: give it --url/],
  ];
  for (const [args, about] of cases) {
    const ended = await cli(['verify', ...args], { cwd });
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(about);
  }
});
