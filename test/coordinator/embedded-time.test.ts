import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type EmbeddedCoordinator, type EmbeddedOptions, openEmbedded } from '../../src/coordinator/embedded.ts';
import type { Session } from '../../src/coordinator.ts';
import { failure } from '../contract/coordinator/world.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HOUR_MS = 3_600_000;

let clock = new VirtualClock();
let directory = '';
let opened: EmbeddedCoordinator[] = [];

beforeEach(() => {
  clock = new VirtualClock();
  directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
});

afterEach(async () => {
  await Promise.all(opened.map((coordinator) => coordinator.close()));
  opened = [];
  rmSync(directory, { recursive: true });
});

function open(options: Partial<EmbeddedOptions> = {}): EmbeddedCoordinator {
  const coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 9_000, clock, ...options });
  opened.push(coordinator);
  return coordinator;
}

const openFile = () => open({ path: join(directory, 'file.db') });

const lock = (session: Session) => session.multi([{ op: 'create', path: '/lock', data: '', mode: 'ephemeral' }]);

describe('a session', () => {
  it.each([
    ['memory', open],
    ['a file', openFile],
  ])('outlives its time-out many times while it is idle (%s)', async (_, openIt) => {
    const coordinator = openIt();
    const [idle, other] = [await coordinator.connect(), await coordinator.connect()];
    await lock(idle);
    await clock.advance(HOUR_MS / 10);
    expect(idle.signal.aborted).toBe(false);
    expect(await other.get('/lock')).toMatchObject({ owner: idle.id });
  });

  it('expires when its time-out has passed since the last sign of life, and not before', async () => {
    const coordinator = open();
    const [silent, other] = [await coordinator.connect(), await coordinator.connect()];
    await lock(silent);
    const onChange = jest.fn<() => void>();
    await other.get('/lock', onChange);
    await clock.advance(3_000);
    coordinator.silence(silent.id);
    await clock.advance(8_999);
    expect(silent.signal.aborted).toBe(false);
    expect(onChange).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(silent.signal.aborted).toBe(true);
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(await other.get('/lock')).toBeUndefined();
    expect(other.signal.aborted).toBe(false);
  });

  it('outlives a silence that is shorter than its time-out', async () => {
    const coordinator = open();
    const session = await coordinator.connect();
    for (let times = 0; times < 3; times += 1) {
      const beHeard = coordinator.silence(session.id);
      await clock.advance(5_900);
      beHeard();
      await clock.advance(100);
    }
    expect(session.signal.aborted).toBe(false);
    coordinator.silence(session.id);
    await clock.advance(9_000);
    expect(session.signal.aborted).toBe(true);
  });

  it.each([
    ['shorter', 1, 500],
    ['longer', HOUR_MS, 40_000],
  ])('has the nearest allowed time-out when a %s one is asked for', async (_, sessionTimeoutMs, allowedMs) => {
    const coordinator = open();
    const session = await coordinator.connect({ sessionTimeoutMs });
    coordinator.silence(session.id);
    await clock.advance(allowedMs - 1);
    expect(session.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(session.signal.aborted).toBe(true);
  });

  it.each([0, -1, Number.NaN])('is not opened with a time-out of %d', async (sessionTimeoutMs) => {
    const error = await failure(open().connect({ sessionTimeoutMs }));
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining('time-out') });
  });

  it('of a silent process does not live an hour longer because the clock was set back', async () => {
    const [silent, alive] = [openFile(), openFile()];
    const [holder, next] = [await silent.connect(), await alive.connect()];
    await lock(holder);
    silent.silence(holder.id);
    clock.step(-HOUR_MS);
    await clock.advance(3_000 + 9_000 + 500);
    expect(await next.get('/lock')).toBeUndefined();
    expect(next.signal.aborted).toBe(false);
  });

  it.each<[string, (session: Session) => Promise<unknown>]>([
    ['a read', (session) => session.get('/lock')],
    ['a list', (session) => session.children('/')],
    ['a write', (session) => session.multi([{ op: 'set', path: '/lock', data: '' }])],
  ])('is lost when the clock jumps ahead, as %s finds out at once, and another one can be opened', async (_, call) => {
    const coordinator = openFile();
    const session = await coordinator.connect();
    await lock(session);
    clock.step(HOUR_MS);
    expect(await failure(call(session))).toMatchObject({ code: 'session-lost' });
    expect(session.signal.aborted).toBe(true);
    await lock(await coordinator.connect());
  });

  it('in memory does not mind the wall clock', async () => {
    const session = await open().connect();
    await lock(session);
    for (const byMs of [HOUR_MS, -2 * HOUR_MS]) {
      clock.step(byMs);
      await clock.advance(10_000);
      expect(await session.get('/lock')).toMatchObject({ owner: session.id });
    }
  });
});

describe('a coordinator', () => {
  it('shares its memory among its sessions, and with no other coordinator', async () => {
    const [one, other] = [open(), open()];
    await (await one.connect()).multi([{ op: 'create', path: '/node', data: '' }]);
    expect(await (await one.connect()).get('/node')).toBeDefined();
    expect(await (await other.connect()).get('/node')).toBeUndefined();
  });

  it('gives the same answers to the same calls, names and order included', async () => {
    const history = async () => {
      clock = new VirtualClock();
      const coordinator = open();
      const log: unknown[] = [];
      const sessions = await Promise.all([coordinator.connect(), coordinator.connect()]);
      const calls = sessions.map(async (session, index) => {
        session.signal.addEventListener('abort', () => log.push(`${session.id} ended`));
        log.push(await session.get('/lock', () => log.push(`${session.id} saw a change`)));
        log.push(await lock(session).catch((error: Error) => error.message));
        await clock.advance(10 * index);
        log.push(await session.multi([{ op: 'create', path: '/s-', data: '', mode: 'sequential' }]));
        log.push(await session.get('/lock'), await session.children('/'));
      });
      await Promise.all(calls);
      coordinator.silence(sessions[0].id);
      await clock.advance(20_000);
      return log;
    };
    const first = await history();
    expect(first).toContain('0x1 ended');
    expect(await history()).toEqual(first);
  });

  it('ends its sessions and leaves no timer behind when it is closed', async () => {
    for (const coordinator of [open(), openFile()]) {
      const sessions = [await coordinator.connect(), await coordinator.connect()];
      await sessions[0]?.get('/anything', () => {});
      const late = coordinator.connect();
      await coordinator.close();
      await coordinator.close();
      for (const session of [...sessions, await late]) expect(session.signal.aborted).toBe(true);
      expect(clock.waiting).toBe(0);
      expect(await failure(coordinator.connect())).toMatchObject({ code: 'unavailable' });
    }
  });

  it('leaves no timer behind when its sessions are closed', async () => {
    const session = await open().connect();
    await session.close();
    await clock.advance(10_000);
    expect(clock.waiting).toBe(0);
  });
});
