/** What was given up is where an operator looks: `cronkeeper undelivered`, and a warning of the doctor. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { openCronkeeper } from '../src/app.ts';
import { cli } from './support/cli.ts';
import { mailroom } from './support/mailroom.ts';

jest.setTimeout(60_000);

let cwd = '';
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cronkeeper-undelivered-'));
});
afterEach(() => rm(cwd, { recursive: true }));

test('a message that was refused is listed, and the doctor says so', async () => {
  const { courier } = mailroom(() => ({ is: 'refused', problem: 'it answered 410\u001b[31m' }));
  const keeper = await openCronkeeper({ url: `embedded:${join(cwd, 'tasks.db')}`, courier });
  const onSuccess = { url: 'https://example.com/hook?token=s3cret' };
  await keeper.tasks.put({ id: 'told', schedule: { every: '365d' }, code: '1', onSuccess });
  const { launchId } = await keeper.tasks.run('told');
  expect(await keeper.tick()).toMatchObject({ undelivered: 1 });
  await keeper.close();
  const run = (...args: string[]) => cli([...args, '--url', 'embedded:./tasks.db'], { cwd });
  const [listed, seen, doctor] = await Promise.all([
    run('undelivered'),
    run('undelivered', '--json'),
    run('doctor', '--json'),
  ]);
  expect(listed.stdout).toMatch(new RegExp(`${launchId}:success +https://example.com +1 +it answered 410`));
  expect(listed.stdout).not.toContain('s3cret');
  expect(listed.stdout).not.toContain('\u001b');
  expect(JSON.parse(seen.stdout)).toMatchObject({ items: [{ destination: onSuccess, message: { launchId } }] });
  const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; status: string; detail: string }[] };
  const outbox = { status: 'warning', detail: '0 messages wait, 1 were given up' };
  expect(checks.find(({ check }) => check === 'outbox')).toMatchObject(outbox);
});
