/** What is told of launches: once for each record, until it has arrived, and never at the cost of other launches. */
import { expect, it } from '@jest/globals';
import type { Coordinator } from '../../../src/coordinator.ts';
import { OUTBOX_PAGES_MAX } from '../../../src/delivery.ts';
import { KEPT_MS, type Mail } from '../../../src/mail.ts';
import { writeMail } from '../../../src/outbox.ts';
import type { TaskDocument } from '../../../src/task.ts';
import { type Fault, FaultySession } from '../../support/faulty-session.ts';
import { DELIVERED, LATER, mailroom } from '../../support/mailroom.ts';
import { hasRun, runsOf, statuses, tree } from './eyes.ts';
import { at, clockAt, linger, type TestEngine, task } from './world.ts';

const HOOK = { url: 'https://example.com/hook' };
const OTHER = { url: 'https://slow.example.com/' };
const FAILING = 'export default () => { throw new TypeError("no") }';

export function destinationTests(engine: TestEngine): void {
  /** Put with a clock that is behind; due a second ago. */
  async function putDue(id: string, rest: Partial<TaskDocument> = {}) {
    const past = await engine.open({ clock: clockAt(-2_000) });
    return past.tasks.put(task(id, { schedule: at(-1_000), ...rest }));
  }

  const waiting = async (directory: 'outbox' | 'undelivered') =>
    [...(await tree(engine, 'shards'))].filter(([path]) => path.includes(`/${directory}/`)).map(([, data]) => data);

  const isWaiting = async () => (await waiting('outbox')).length > 0;

  it('tells each destination of a launch once, with what is recorded of it', async () => {
    const { courier, messages, keys } = mailroom();
    const keeper = await engine.open({ courier });
    await putDue('told', { onSuccess: [HOOK, { queue: 'arn:aws:sqs:eu-west-1:123456789012:jobs' }], onFailure: HOOK });
    expect(await keeper.tick()).toMatchObject({ succeeded: 1, delivered: 2, undelivered: 0 });
    const [run] = await runsOf(engine, 'told');
    const { launchId: id, slot, startedAt, finishedAt } = run ?? {};
    expect(messages[0]).toEqual({
      ...{ version: 1, condition: 'success', idempotencyKey: `${id}:success`, launchId: id, taskId: 'told', slot },
      ...{ namespace: engine.namespace, attempt: 1, status: 'succeeded', startedAt, finishedAt },
      ...{ output: 'done', depth: 0 },
    });
    expect(keys.length).toBe(2);
    expect(await keeper.tick()).toMatchObject({ delivered: 0 });
    expect([messages.length, await waiting('outbox')]).toEqual([2, []]);
  });

  it('tells of a failure after the last attempt, of the dead letter too, and of nothing before', async () => {
    const { courier, keys } = mailroom();
    const keeper = await engine.open({ courier });
    const told = { onSuccess: HOOK, onFailure: HOOK, onDeadLetter: OTHER };
    await putDue('fails', { code: FAILING, retry: { attempts: 2, backoff: '0s' }, ...told });
    const { until, stop } = await linger(engine, {}, keeper);
    await until('both are told', () => keys.length === 2);
    expect(await stop()).toMatchObject({ failed: 2, delivered: 2 });
    const { launchId: id } = (await runsOf(engine, 'fails'))[0] ?? {};
    expect([...keys].sort()).toEqual([
      `${id}:dead-letter https://slow.example.com`,
      `${id}:failure https://example.com`,
    ]);
  });

  it('tries again until it is delivered, across ticks, and says the same key', async () => {
    let isUp = false;
    const { courier, letters } = mailroom(() => (isUp ? DELIVERED : LATER));
    await putDue('retried', { onSuccess: HOOK });
    const keeper = await engine.open({ courier });
    expect(await keeper.tick()).toMatchObject({ delivered: 0, undelivered: 0 });
    expect(await keeper.tick()).toMatchObject({ delivered: 0 }); // its time has not come
    expect(letters.length).toBe(1);
    isUp = true;
    const later = await engine.open({ courier, clock: clockAt(60_000) });
    expect(await later.tick()).toMatchObject({ delivered: 1 });
    expect(new Set(letters.map(({ message }) => message.idempotencyKey)).size).toBe(1);
    expect(await waiting('outbox')).toEqual([]);
  });

  it('gives up after three days, visibly', async () => {
    const { courier } = mailroom(() => LATER);
    await putDue('given-up', { onSuccess: HOOK });
    for (const agoMs of [0, KEPT_MS - 60_000]) {
      const keeper = await engine.open({ courier, clock: clockAt(agoMs) });
      expect(await keeper.tick()).toMatchObject({ delivered: 0, undelivered: 0 });
    }
    const keeper = await engine.open({ courier, clock: clockAt(KEPT_MS + 60_000) });
    expect(await keeper.tick()).toMatchObject({ undelivered: 1 });
    expect(await waiting('outbox')).toEqual([]);
    const [run] = await runsOf(engine, 'given-up');
    const message = { idempotencyKey: `${run?.launchId}:success`, output: 'done' };
    const item = { destination: HOOK, attempts: 3, problem: 'it answered 503', message };
    expect(await keeper.tasks.undelivered()).toMatchObject({ items: [item] });
    const { shards } = await keeper.status();
    expect(shards.map(({ outbox, undelivered }) => [outbox, undelivered]).sort()).toEqual([
      [0, 0],
      [0, 0],
      [0, 1],
    ]);
  });

  it('gives up at once what is refused, and delivers the rest of the list', async () => {
    const refuses = mailroom(({ destination }) =>
      'url' in destination ? { is: 'refused', problem: 'it answered 410' } : DELIVERED,
    );
    const keeper = await engine.open({ courier: refuses.courier });
    await putDue('refused', { onSuccess: [HOOK, { bus: 'default' }] });
    expect(await keeper.tick()).toMatchObject({ delivered: 1, undelivered: 1 });
    const { items } = await keeper.tasks.undelivered();
    expect(items).toMatchObject([{ destination: HOOK, attempts: 1, problem: 'it answered 410' }]);
  });

  it('lists what was given up, page by page', async () => {
    const { courier } = mailroom(() => ({ is: 'refused', problem: 'no' }));
    const keeper = await engine.open({ courier });
    for (const id of ['a', 'b', 'c', 'd']) await putDue(id, { onSuccess: [HOOK, OTHER] });
    expect(await keeper.tick()).toMatchObject({ undelivered: 8 });
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await keeper.tasks.undelivered({ limit: 3, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.items.map(({ message, destination }) => `${message.taskId} ${JSON.stringify(destination)}`));
      cursor = page.cursor;
      if (cursor === undefined) break;
    }
    const all = ['a', 'b', 'c', 'd'].flatMap((id) => [HOOK, OTHER].map((to) => `${id} ${JSON.stringify(to)}`));
    expect(seen.sort()).toEqual(all.sort());
    await expect(keeper.tasks.undelivered({ cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('gives up the oldest of what waits, before a list of it becomes too long to read', async () => {
    const session = await engine.session();
    const outbox = engine.layout.outbox(engine.layout.shardOf('many'));
    const pending = { condition: 'success', destination: HOOK, attempts: 1, dueMs: Date.now() + 3_600_000 } as const;
    const mails = Array.from({ length: OUTBOX_PAGES_MAX + 3 }, (_, slotMs): Mail => {
      const run = { attempt: 1, status: 'succeeded', startedMs: slotMs, finishedMs: slotMs, fence: 1 } as const;
      return { v: 1, taskId: 'many', slotMs, run, to: [pending] };
    });
    await engine.keeper.tick(); // makes the namespace
    await session.multi([{ op: 'create', path: outbox, data: '' }]);
    for (let i = 0; i < mails.length; i += 100) {
      const some = mails.slice(i, i + 100);
      await session.multi(some.flatMap((mail) => writeMail(outbox, [mail], () => `${mail.slotMs}`).ops));
    }
    expect(await engine.keeper.tick()).toMatchObject({ delivered: 0, undelivered: 3 });
    const { items } = await engine.keeper.tasks.undelivered();
    expect(items.map(({ message }) => message.launchId)).toEqual(['many@0', 'many@1', 'many@2']);
    expect((await waiting('outbox')).length).toBe(OUTBOX_PAGES_MAX);
  });

  it('is told by the next tick when its holder has died between the record and the message', async () => {
    const first = mailroom(() => new Promise(() => {})); // it never gets away
    const keeper = await engine.open({ courier: first.courier });
    await putDue('orphan', { onSuccess: HOOK });
    const { done, until } = await linger(engine, {}, keeper);
    await until('it is on its way', () => first.letters.length > 0);
    await engine.crash();
    await expect(done).rejects.toMatchObject({ code: 'session-lost' });
    const second = mailroom();
    const heir = await engine.open({ courier: second.courier });
    expect(await heir.tick()).toMatchObject({ delivered: 1, due: 0 });
    expect(second.messages).toEqual(first.messages);
  });

  it('is told again with the same key when its holder has died between the message and its removal', async () => {
    let crashed: Promise<void> | undefined;
    const first = mailroom(async () => {
      crashed ??= engine.crash();
      await crashed;
      return DELIVERED;
    });
    const keeper = await engine.open({ courier: first.courier });
    await putDue('twice', { onSuccess: HOOK });
    await expect(keeper.tick({ lingerMs: 10_000 })).rejects.toMatchObject({ code: 'session-lost' });
    const second = mailroom();
    const heir = await engine.open({ courier: second.courier });
    await heir.tick();
    expect([first.keys.length, second.keys]).toEqual([1, first.keys]);
  });

  it('tells of every record, and chains each exactly once, whatever replies are lost', async () => {
    const { courier, keys } = mailroom();
    const code = 'export default (ctx) => ({ output: ctx.input.launchId })';
    await engine.keeper.tasks.put(task('sink', { schedule: { every: '365d' }, code, history: 200 }));
    const ids = Array.from({ length: 12 }, (_, i) => `source-${i}`);
    for (const id of ids) await putDue(id, { onSuccess: [HOOK, { task: 'sink' }] });
    const faulty: Coordinator = {
      url: 'embedded:',
      connect: async () => {
        const session = new FaultySession(await engine.session());
        const round: Fault[] = ['none', 'reply-lost', 'none', 'late', 'request-lost', 'none', 'none', 'reply-lost'];
        session.faults.push(...Array.from({ length: 10 }, () => round).flat());
        return session;
      },
      close: async () => {},
    };
    const keeper = await engine.open({ courier, coordinator: faulty });
    const { until, stop } = await linger(engine, {}, keeper);
    await until('all are told', async () => (await hasRun(engine, 'sink', ids.length)()) && !(await isWaiting()));
    await stop();
    const records = (await Promise.all(ids.map((id) => runsOf(engine, id)))).flat();
    expect(records.length).toBe(ids.length);
    const launches = records.map(({ launchId }) => launchId);
    expect([...new Set(keys)].sort()).toEqual(launches.map((id) => `${id}:success https://example.com`).sort());
    expect((await runsOf(engine, 'sink')).map(({ output }) => output).sort()).toEqual(launches.sort());
  });

  it('does not hold up launches when a destination does not answer', async () => {
    let release = () => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { courier, letters } = mailroom(async () => {
      await hanging;
      return LATER;
    });
    const keeper = await engine.open({ courier });
    await putDue('hangs', { schedule: { every: '100ms' }, onSuccess: OTHER, history: 200 });
    const { until, stop } = await linger(engine, {}, keeper);
    await until('letters hang', () => letters.length > 0);
    const before = (await runsOf(engine, 'hangs')).length;
    await until('launches go on', hasRun(engine, 'hangs', before + 5));
    release();
    expect(await stop()).toMatchObject({ fenced: 0, delivered: 0 });
  });

  it('launches the next task of a chain exactly once, with the message as its input, at once', async () => {
    const code = 'export default (ctx) => ({ output: [ctx.input.launchId, ctx.input.output, ctx.input.depth] })';
    await engine.keeper.tasks.put(task('second', { schedule: { every: '365d' }, code, onSuccess: { task: 'third' } }));
    await engine.keeper.tasks.put(task('third', { schedule: { every: '365d' }, code }));
    await putDue('first', { onSuccess: [{ task: 'second' }] });
    const { until, stop } = await linger(engine);
    await until('the chain has come to its end', hasRun(engine, 'third'));
    expect(await stop()).toMatchObject({ succeeded: 3, delivered: 2 });
    const [first] = await runsOf(engine, 'first');
    const [second, ...others] = await runsOf(engine, 'second');
    expect(second).toMatchObject({ output: [first?.launchId, 'done', 0], manual: true });
    expect(await runsOf(engine, 'third')).toMatchObject([{ output: [second?.launchId, second?.output, 1] }]);
    expect([others, await waiting('outbox')]).toEqual([[], []]);
  });

  it('ends a circle of tasks after 16 launches, and says so', async () => {
    await putDue('ping', { onSuccess: { task: 'pong' } });
    await putDue('pong', { schedule: { every: '365d' }, onSuccess: { task: 'ping' } });
    const { until, stop } = await linger(engine);
    await until('the circle has ended', async () => (await waiting('undelivered')).length > 0);
    expect(await stop()).toMatchObject({ succeeded: 17, delivered: 16, undelivered: 1 });
    const { items } = await engine.keeper.tasks.undelivered();
    expect(items).toMatchObject([{ problem: expect.stringContaining('at most 16'), message: { depth: 16 } }]);
  });

  it('keeps a message for a task that is not there yet', async () => {
    await putDue('early', { onSuccess: { task: 'late' } });
    expect(await engine.keeper.tick()).toMatchObject({ delivered: 0, undelivered: 0 });
    await engine.keeper.tasks.put(task('late', { schedule: { every: '365d' } }));
    const later = await engine.open({ clock: clockAt(60_000) });
    expect(await later.tick({ lingerMs: 1_000 })).toMatchObject({ delivered: 1, succeeded: 1 });
    expect(statuses(await runsOf(engine, 'late'))).toEqual(['succeeded']);
  });

  it('tells nothing of a task that was removed while it ran, and of an uncertain end as of a failure', async () => {
    const { courier, messages } = mailroom();
    const keeper = await engine.open({ courier, capabilities: { end: () => engine.crash() } });
    const code = 'export default async (ctx) => { await ctx.call("end") }';
    const once = { code, capabilities: { call: ['end'] }, delivery: 'at-most-once' as const };
    await putDue('unknown', { ...once, onFailure: HOOK, onDeadLetter: HOOK });
    await expect(keeper.tick({ lingerMs: 10_000 })).rejects.toMatchObject({ code: 'session-lost' });
    expect(await keeper.tick()).toMatchObject({ uncertain: 1, delivered: 1 });
    const [run] = await runsOf(engine, 'unknown');
    expect(messages).toMatchObject([{ condition: 'failure', status: 'uncertain', reason: run?.reason }]);
    const removing = await engine.open({ courier, capabilities: { end: () => engine.keeper.tasks.remove('gone') } });
    await putDue('gone', { ...once, delivery: 'at-least-once', onSuccess: HOOK });
    expect(await removing.tick()).toMatchObject({ succeeded: 1, delivered: 0 });
    expect(await waiting('outbox')).toEqual([]);
  });
}
