/** Directories of the due index: made by few requests, also where others make some of them meanwhile. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { CoordinatorError } from '../../src/coordinator.ts';
import { DueDirectories } from '../../src/due-directories.ts';
import { Holder } from '../support/lone-holder.ts';

let holder: Holder;
beforeEach(async () => {
  holder = await Holder.open();
});
afterEach(() => holder.close());

const minutes = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${holder.layout.due(i % 2)}/000010${i % 3}/${String(i).padStart(4, '0')}`);

const areThere = async (paths: readonly string[]): Promise<boolean> =>
  (await holder.session.getMany(paths)).every((node) => node !== undefined);

test('many are made by two requests, and none is asked for again', async () => {
  const multi = jest.spyOn(holder.session, 'multi');
  const directories = new DueDirectories(holder.session);
  await directories.have([...minutes(100), ...minutes(100)]);
  expect(await areThere(minutes(100))).toBe(true);
  expect(multi).toHaveBeenCalledTimes(2);
  await directories.have(minutes(100));
  expect(multi).toHaveBeenCalledTimes(2);
});

test('what another writer has made stays, and the rest is made by one more request', async () => {
  await new DueDirectories(holder.session).have(minutes(40));
  const multi = jest.spyOn(holder.session, 'multi');
  await new DueDirectories(holder.session).have(minutes(100));
  expect(await areThere(minutes(100))).toBe(true);
  expect(multi.mock.calls.length).toBeLessThanOrEqual(8); // six days and their refusals, 60 minutes and a refusal
});

test('what another writer makes between a look and a write is not missed, nor a reply that is lost', async () => {
  const { session } = holder;
  const multi = session.multi.bind(session);
  let calls = 0;
  jest.spyOn(session, 'multi').mockImplementation(async (ops) => {
    calls++;
    if (calls === 2) throw new CoordinatorError('outcome-unknown', 'the reply is lost');
    const { path } = ops.at(-1) as { path: string };
    if (calls === 3 || calls === 5) await multi([{ op: 'create', path, data: '' }]);
    return multi(ops);
  });
  await new DueDirectories(session).have(minutes(60));
  expect(await areThere(minutes(60))).toBe(true);
});
