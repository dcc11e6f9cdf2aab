/** Holders that are killed, frozen, thawed or left over, on a real ZooKeeper: what they write afterwards is refused. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sleep, systemClock } from '../../src/clock.ts';
import type { Coordinator, Session } from '../../src/coordinator.ts';
import { acquire, guardsOf, release } from '../../src/lease.ts';
import type { Servers } from '../../tools/zookeeper-server.ts';
import { hasRun, leftovers, runsOf, tree } from '../contract/engine/eyes.ts';
import {
  altered,
  at,
  clockAt,
  EVERY_SLOT,
  eventually,
  GATED,
  Gate,
  linger,
  type TestEngine,
  task,
  useEngine,
} from '../contract/engine/world.ts';
import type { HolderLine } from '../support/holder.ts';
import { describeWithZooKeeper, startServers, testCoordinator } from '../support/zookeeper.ts';

jest.setTimeout(60_000);

/** Of the holders; the server's tick is half a second. */
const HOLDER_SESSION_MS = 3_000;
/** Of everybody else: a loaded machine must not end it. */
const SESSION_MS = 8_000;
/** Longer than an election. */
const ENSEMBLE_SESSION_MS = 10_000;
const ENSEMBLE_TIMEOUT_MS = 120_000;

const script = fileURLToPath(new URL('../support/holder.ts', import.meta.url));

interface Holder {
  readonly child: ChildProcess;
  readonly lines: readonly HolderLine[];
  /** The latest line of this sort, as soon as there is one. */
  said<Says extends HolderLine['says']>(says: Says): Promise<Extract<HolderLine, { says: Says }>>;
  letThrough(): void;
  /** Its exit code or signal. */
  readonly gone: Promise<unknown>;
}

function startHolder(url: string, namespace: string): Holder {
  const child = spawn(process.execPath, [script, url, namespace, `${HOLDER_SESSION_MS}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: HolderLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const gone = once(child, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
  const find = <Says extends HolderLine['says']>(says: Says) =>
    lines.findLast((line): line is Extract<HolderLine, { says: Says }> => line.says === says);
  return {
    child,
    lines,
    gone,
    async said(says) {
      await eventually(`the holder says ${says}`, () => find(says) !== undefined);
      return find(says) as Extract<HolderLine, { says: typeof says }>;
    },
    letThrough: () => child.stdin.write('go\n'),
  };
}

describeWithZooKeeper('holders in processes of their own', () => {
  let coordinator: Coordinator;
  const holders: Holder[] = [];
  const engine = useEngine(async () => {
    coordinator = testCoordinator({ sessionTimeoutMs: SESSION_MS });
    const expire = () => Promise.reject(new Error('not used'));
    return { coordinator, expire, dispose: () => coordinator.close() };
  });

  afterEach(async () => {
    for (const { child } of holders) child.kill('SIGKILL');
    await Promise.all(holders.splice(0).map(({ gone }) => gone));
  });

  /** A holder that has begun the task `slow` and waits in it. */
  async function holderAtWork() {
    const past = await engine.open({ clock: clockAt(-2_000) });
    await past.tasks.put(task('slow', { schedule: at(-1_000), timeout: '1m', ...GATED }));
    const holder = startHolder(coordinator.url, engine.namespace);
    holders.push(holder);
    const { slot, attempt } = await holder.said('running');
    expect(attempt).toBe(1);
    return { holder, slot };
  }

  /** Ticks until the task has run, which it lets through. The end of a session can fall between two of the shards. */
  async function takeOver() {
    const gate = new Gate();
    gate.open();
    const keeper = await engine.open({ capabilities: { gate: gate.capability } });
    let report = await keeper.tick();
    await eventually('the leases are free', async () => {
      if (report.succeeded === 0) report = await keeper.tick();
      return report.succeeded > 0;
    });
    return { report, arrivals: gate.arrivals };
  }

  it('leaves a shard to the one tick that holds it', async () => {
    const { holder } = await holderAtWork();
    expect(await engine.keeper.tick()).toMatchObject({ shards: 0, due: 0 });
    holder.letThrough();
    const { report } = await holder.said('ended');
    expect(report).toMatchObject({ shards: 3, succeeded: 1, fenced: 0 });
    expect(await holder.gone).toBe(0);
    expect(await runsOf(engine, 'slow')).toMatchObject([{ attempt: 1, status: 'succeeded' }]);
  });

  it('reruns what a killed holder had begun, as soon as its session is over, and records it once', async () => {
    const { holder, slot } = await holderAtWork();
    holder.child.kill('SIGKILL');
    expect(await holder.gone).toBe('SIGKILL');
    const { report, arrivals } = await takeOver();
    expect(report).toMatchObject({ succeeded: 1, due: 1 });
    expect(arrivals).toEqual([{ slot, attempt: 2 }]);
    expect(await runsOf(engine, 'slow')).toMatchObject([{ slot, attempt: 2, status: 'succeeded' }]);
    expect(await engine.keeper.tick()).toMatchObject({ due: 0 });
    expect(await leftovers(engine)).toEqual([]);
  });

  it('is followed at once by a tick that stands by, when it is killed', async () => {
    const { holder, slot } = await holderAtWork();
    const gate = new Gate();
    gate.open();
    const heir = await engine.open({ capabilities: { gate: gate.capability } });
    const stopped = new AbortController();
    const inherited = heir.tick({ lingerMs: 60_000, standby: true, signal: stopped.signal });
    holder.child.kill('SIGKILL');
    await eventually('it has run again', hasRun(engine, 'slow'));
    stopped.abort();
    expect(await inherited).toMatchObject({ succeeded: 1 });
    expect(gate.arrivals).toEqual([{ slot, attempt: 2 }]);
  });

  it('lets a holder that was frozen for three times its session record nothing, and say so in one line', async () => {
    const { holder, slot } = await holderAtWork();
    holder.child.kill('SIGSTOP');
    const thriceItsSession = sleep(systemClock, 3 * HOLDER_SESSION_MS);
    const { report, arrivals } = await takeOver();
    expect(report).toMatchObject({ succeeded: 1 });
    expect(arrivals).toEqual([{ slot, attempt: 2 }]);
    const before = await tree(engine);
    await thriceItsSession;
    holder.letThrough();
    holder.child.kill('SIGCONT');
    const left = /; 1 launches were on their way: this tick records nothing of them/;
    expect(await holder.said('failed')).toMatchObject({
      code: 'session-lost',
      message: expect.stringMatching(left),
    });
    expect(holder.lines.filter(({ says }) => says !== 'running')).toHaveLength(1);
    expect(await holder.gone).toBe(0);
    expect(await tree(engine)).toEqual(before);
    expect(await runsOf(engine, 'slow')).toMatchObject([{ slot, attempt: 2 }]);
  });

  it('lets a holder go on that was frozen for less than its session', async () => {
    const { holder, slot } = await holderAtWork();
    holder.child.kill('SIGSTOP');
    await sleep(systemClock, HOLDER_SESSION_MS / 3);
    holder.letThrough();
    holder.child.kill('SIGCONT');
    const { report } = await holder.said('ended');
    expect(report).toMatchObject({ shards: 3, succeeded: 1, fenced: 0, deferred: 0 });
    expect(await holder.gone).toBe(0);
    expect(await runsOf(engine, 'slow')).toMatchObject([{ slot, attempt: 1, status: 'succeeded' }]);
  });

  describe('on a session that outlives the invocation', () => {
    /** A coordinator that hands out one session again and again: what a careless host of functions does. */
    async function sharedSession() {
      const session = await engine.session();
      const kept = altered(session, { close: async () => {} });
      const sharing: Coordinator = { url: 'embedded:', connect: async () => kept, close: async () => {} };
      return { session, sharing };
    }

    const unlock = (session: Session, { layout }: TestEngine) =>
      session.multi([0, 1, 2].map((shard) => ({ op: 'remove', path: layout.lock(shard) })));

    it('refuses by the fence what a leftover promise of the last invocation records', async () => {
      const { session, sharing } = await sharedSession();
      const past = await engine.open({ clock: clockAt(-2_000) });
      await past.tasks.put(task('slow', { schedule: at(-1_000), ...GATED }));
      const [leftover, next] = [new Gate(), new Gate()];
      const first = await engine.open({ coordinator: sharing, capabilities: { gate: leftover.capability } });
      const leftBehind = first.tick();
      await leftover.reached();
      await unlock(session, engine);
      next.open();
      const second = await engine.open({ coordinator: sharing, capabilities: { gate: next.capability } });
      const { until, stop } = await linger(engine, {}, second);
      await until('the second invocation has recorded it', hasRun(engine, 'slow'));
      const before = await tree(engine, 'tasks');
      // The session lives, and the locks are there, made by this very session: only the epochs tell.
      leftover.open();
      expect(await leftBehind).toMatchObject({ shards: 3, fenced: 1, succeeded: 0, deferred: 1 });
      expect(session.signal.aborted).toBe(false);
      expect(await tree(engine, 'tasks')).toEqual(before);
      // Nor does it give back what is not its own any more.
      expect((await engine.keeper.status()).shards.filter(({ held }) => held)).toHaveLength(3);
      expect(await stop()).toMatchObject({ succeeded: 1, fenced: 0 });
      expect(await runsOf(engine, 'slow')).toMatchObject([{ attempt: 2, fence: 2 }]);
    });

    it('would take the stale write if the epoch were not checked', async () => {
      await engine.keeper.tasks.put(task('written'));
      const { layout } = engine;
      const session = await engine.session();
      const shard = layout.shardOf('written');
      const path = layout.task('written');
      const stale = await acquire(session, layout, shard, 'first invocation');
      await session.multi([{ op: 'remove', path: layout.lock(shard) }]);
      const held = await acquire(session, layout, shard, 'second invocation');
      if (stale === undefined || held === undefined) throw new Error('somebody else holds the shard');
      expect(held.fence).toBe(stale.fence + 1);
      const write = { op: 'set', path, data: 'stale' } as const;
      await expect(session.multi([...guardsOf([stale]), write])).rejects.toMatchObject({
        refusal: 'bad-version',
        opIndex: 1,
      });
      const unchecked = stale.guard.filter((op) => op.path !== layout.epoch(shard));
      expect(unchecked).toHaveLength(1);
      await session.multi([...unchecked, write]);
      expect(await session.get(path)).toMatchObject({ data: 'stale' });
      await release(session, layout, stale);
      expect(await session.get(layout.lock(shard))).toMatchObject({ data: 'second invocation' });
      await release(session, layout, held);
      expect(await session.get(layout.lock(shard))).toBeUndefined();
    });
  });
});

describeWithZooKeeper('a tick on three servers', () => {
  let servers: Servers;

  beforeAll(async () => {
    servers = await startServers(3);
  }, ENSEMBLE_TIMEOUT_MS);

  afterAll(() => servers?.stop(), ENSEMBLE_TIMEOUT_MS);

  describe('while the leader is killed', () => {
    const engine = useEngine(async () => {
      const coordinator = testCoordinator({ servers: servers.addresses, sessionTimeoutMs: ENSEMBLE_SESSION_MS });
      const expire = () => Promise.reject(new Error('not used'));
      return { coordinator, expire, dispose: () => coordinator.close() };
    });

    it('goes on, and no slot is missing or comes twice', async () => {
      const ids = Array.from({ length: 10 }, (_, i) => `beat-${i}`);
      await engine.keeper.tasks.putMany(ids.map((id) => task(id, { schedule: { every: '200ms' }, ...EVERY_SLOT })));
      const launched: string[] = [];
      const onRun = (id: string, { slotMs }: { slotMs: number }) => launched.push(`${id}@${slotMs}`);
      const { until, stop } = await linger(engine, { onRun });
      const slots = (count: number) => () => launched.length >= count * ids.length;
      await until('it is in full swing', slots(5));
      await (await servers.leader()).kill();
      const killedAt = launched.length / ids.length;
      await until('it goes on', slots(killedAt + 20));
      const report = await stop();
      expect(report).toMatchObject({ fenced: 0, failed: 0, skipped: 0, succeeded: launched.length });
      expect(new Set(launched).size).toBe(launched.length);
      for (const id of ids) {
        const runs = await runsOf(engine, id);
        const first = Date.parse(runs[0]?.slot ?? '');
        expect(runs.map(({ slot, status }) => [Date.parse(slot), status])).toEqual(
          runs.map((_, i) => [first + i * 200, 'succeeded']),
        );
      }
      expect(await leftovers(engine)).toEqual([]);
    });
  });
});
