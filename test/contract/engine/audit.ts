/** Who changed what: a line for every change, none for anything else, and all of them found again. */
import { expect, it } from '@jest/globals';
import {
  AUDIT_DAYS,
  AUDIT_DIRECTORIES_MAX,
  AUDIT_NODES_MAX,
  type AuditEntry,
  type AuditOptions,
  auditDirectory,
} from '../../../src/audit.ts';
import { AuditTrail } from '../../../src/audit-trail.ts';
import { tree } from './eyes.ts';
import { altered, clockAt, type TestEngine, task } from './world.ts';

const DAY_MS = 86_400_000;
const FAILING = { schedule: { after: '0s' }, code: 'throw new Error("no")', retry: { attempts: 1 } } as const;

export function auditTests(engine: TestEngine): void {
  async function all(options: AuditOptions = {}): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await engine.keeper.audit({ ...options, ...(cursor !== undefined && { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(options.limit ?? 100);
      entries.push(...page.items);
      cursor = page.cursor;
      if (cursor === undefined) return entries;
    }
  }
  /** Nodes of changes, and directories of days. */
  const kept = async () => {
    const paths = [...(await tree(engine, 'audit')).keys()];
    const depth = (path: string) => path.slice(engine.layout.audit.length).split('/').length - 1;
    return { days: paths.filter((path) => depth(path) === 1), nodes: paths.filter((path) => depth(path) === 2) };
  };

  it('has one line for every change, with who made it and the definition before and after', async () => {
    const ada = engine.keeper.as('jwt:ada');
    const bob = engine.keeper.as('token:write:abcdef');
    await ada.put(task('one', { input: { a: 1, b: 2 } }));
    await bob.put(task('one', { input: { a: 1 } }));
    await bob.put(task('one', { input: { b: 2, a: 1 } }));
    await ada.pause('one');
    await ada.resume('one');
    await bob.run('one', { key: 'k' });
    await ada.backfill('one', { from: '2020-01-01T00:00:00Z', to: '2020-01-01T03:00:00Z' });
    await bob.remove('one');
    await engine.keeper.tasks.put(task('one'));
    const lines = (await all()).reverse();
    expect(lines.map(({ action, principal, revision }) => [action, principal, revision])).toEqual([
      ['put', 'jwt:ada', 1],
      ['put', 'token:write:abcdef', 2],
      ['put', 'token:write:abcdef', 3],
      ['pause', 'jwt:ada', 4],
      ['resume', 'jwt:ada', 5],
      ['run', 'token:write:abcdef', 5],
      ['backfill', 'jwt:ada', 5],
      ['remove', 'token:write:abcdef', 6],
      ['put', 'library', 7],
    ]);
    const [first, second, third, paused, resumed, run, backfill, removed, anew] = lines;
    expect([first?.oldHash, removed?.newHash, anew?.oldHash]).toEqual([undefined, undefined, undefined]);
    expect(first?.newHash).toMatch(/^[0-9a-f]{32}$/);
    // What was there first is there again, whatever the order in which it was written.
    expect([second?.oldHash, third?.newHash]).toEqual([first?.newHash, first?.newHash]);
    expect(new Set([first, second, paused].map((line) => line?.newHash)).size).toBe(3);
    expect(resumed?.newHash).toBe(third?.newHash);
    for (const line of [run, backfill])
      expect([line?.oldHash, line?.newHash]).toEqual([resumed?.newHash, resumed?.newHash]);
    expect(Math.abs(Date.parse(first?.at ?? '') - Date.now())).toBeLessThan(600_000);
  });

  it('has a line for what is launched again, and none for what the engine does by itself', async () => {
    await engine.keeper.tasks.put(task('fails', FAILING));
    await engine.keeper.tick();
    expect(await all()).toHaveLength(1);
    await engine.keeper.as('ops').redrive('fails');
    expect(await all({ limit: 1 })).toMatchObject([{ action: 'redrive', principal: 'ops' }, { action: 'put' }]);
  });

  it('has nothing of what changes nothing', async () => {
    await engine.keeper.tasks.put(task('same', { paused: true }));
    await engine.keeper.tasks.run('same', { key: 'k' });
    const before = await tree(engine);
    await engine.keeper.tasks.put(task('same', { paused: true }));
    await engine.keeper.tasks.pause('same');
    await engine.keeper.tasks.run('same', { key: 'k' });
    await engine.keeper.tasks.remove('other');
    await expect(engine.keeper.tasks.pause('other')).rejects.toMatchObject({ code: 'not-found' });
    await expect(engine.keeper.tasks.put(task('same'), { ifMatch: 99 })).rejects.toMatchObject({ code: 'conflict' });
    expect(await tree(engine)).toEqual(before);
    expect(() => engine.keeper.as('two words')).toThrow('principal');
    await expect(engine.open({ principal: '' })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('has a line for every revision, however many edit a task at the same time', async () => {
    await engine.keeper.tasks.put(task('raced'));
    const others = await Promise.all([1, 2, 3].map((i) => engine.open({ principal: `editor-${i}` })));
    await Promise.all(others.map(({ tasks }, i) => tasks.put(task('raced', { input: i }))));
    const lines = (await all({ taskId: 'raced' })).sort((a, b) => (a.revision ?? 0) - (b.revision ?? 0));
    expect(lines.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    for (const [i, line] of lines.entries()) expect(line.oldHash).toBe(lines[i - 1]?.newHash);
    expect(new Set(lines.map(({ principal }) => principal)).size).toBe(4);
  });

  it('takes one node for many tasks that are put together, and gives each line once, by task and by time', async () => {
    const ids = Array.from({ length: 150 }, (_, i) => `t-${i}`);
    await engine.keeper.tasks.putMany(ids.map((id) => task(id)));
    expect((await kept()).nodes).toHaveLength(3);
    await engine.keeper.as('later').pause('t-7');
    const lines = await all({ limit: 7 });
    expect(lines[0]).toMatchObject({ taskId: 't-7', action: 'pause' });
    expect(lines.map(({ taskId }) => taskId).sort()).toEqual([...ids, 't-7'].sort());
    expect(lines).toEqual(await all({ limit: 1_000 }));
    expect(lines.map(({ at }) => at)).toEqual(
      lines
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    );
    expect((await all({ taskId: 't-7', limit: 1 })).map(({ action }) => action)).toEqual(['pause', 'put']);
    const [{ at = '' } = {}] = lines;
    expect((await all({ from: at })).every((line) => line.at === at)).toBe(true);
    expect(await all({ to: '2020-01-01T00:00:00Z' })).toEqual([]);
    for (const wrong of [{ cursor: '5' }, { from: 'yesterday' }, { taskId: 'a/b' }, { limit: 0 }]) {
      await expect(engine.keeper.audit(wrong)).rejects.toMatchObject({ code: 'invalid' });
    }
  });

  it('says who removed a record that nobody could read', async () => {
    await engine.keeper.tasks.put(task('bad'));
    const session = await engine.session();
    await session.multi([{ op: 'set', path: engine.layout.task('bad'), data: '{' }]);
    expect(await engine.keeper.as('ops').remove('bad')).toBe(true);
    const [{ at: _, ...line } = {}] = await all();
    expect(line).toEqual({ taskId: 'bad', action: 'remove', principal: 'ops' });
  });

  it('is swept by a tick when its days are over, and what is damaged in it hides nothing else', async () => {
    const past = await engine.open({ clock: clockAt(-(AUDIT_DAYS + 2) * DAY_MS), principal: 'long-ago' });
    await past.tasks.put(task('old', { paused: true }));
    const recent = await engine.open({ clock: clockAt(-(AUDIT_DAYS - 2) * DAY_MS), principal: 'recent' });
    await recent.tasks.put(task('young', { paused: true }));
    const { days } = await kept();
    const session = await engine.session();
    await session.multi([
      { op: 'create', path: `${days.at(-1)}/damaged`, data: '{' },
      { op: 'create', path: `${days.at(-1)}/999999999999999-half`, data: '{"principal":"x"}\n["a"]\n' },
    ]);
    expect((await all()).map(({ principal }) => principal).sort()).toEqual(['long-ago', 'recent']);
    await engine.keeper.tick();
    expect((await all()).map(({ principal }) => principal)).toEqual(['recent']);
    expect((await kept()).days).toHaveLength(days.length - 1);
  });

  it('begins another directory when one is full, and gives up the oldest when they are too many', async () => {
    await engine.keeper.tasks.list();
    const session = await engine.session();
    const nowMs = Date.now();
    const first = engine.layout.auditDirectory(auditDirectory(nowMs, 0));
    await session.multi([{ op: 'create', path: first, data: '' }]);
    const full = altered(session, {
      children: async (path) =>
        path === first ? Array.from({ length: AUDIT_NODES_MAX }, (_, i) => `${i}`) : session.children(path),
    });
    await new AuditTrail().open(full, engine.layout, nowMs);
    await engine.keeper.tasks.put(task('next'));
    expect((await kept()).nodes[0]).toContain(`/${auditDirectory(nowMs, 1)}/`);
    const more = Array.from({ length: AUDIT_DIRECTORIES_MAX }, (_, i) => auditDirectory(nowMs, i + 2));
    await session.multi(more.map((name) => ({ op: 'create', path: engine.layout.auditDirectory(name), data: '' })));
    await engine.keeper.tick();
    expect((await kept()).days).toHaveLength(AUDIT_DIRECTORIES_MAX);
    expect(await all()).toEqual([]);
  });

  it('is kept in a namespace that an older program has made', async () => {
    await engine.keeper.tasks.list();
    const session = await engine.session();
    await session.multi([{ op: 'remove', path: engine.layout.audit }]);
    expect(await all()).toEqual([]);
    const fresh = await engine.open();
    await fresh.tasks.put(task('one'));
    expect(await all()).toHaveLength(1);
  });
}
