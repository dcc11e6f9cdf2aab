import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sleep, systemClock } from '../../src/clock.ts';
import { type EmbeddedCoordinator, openEmbedded } from '../../src/coordinator/embedded.ts';
import type { Session } from '../../src/coordinator.ts';
import { isCronkeeperError } from '../../src/errors.ts';
import { eventually } from '../contract/coordinator/world.ts';
import { COUNTS_PER_PROCESS } from '../support/embedded-process.ts';

jest.setTimeout(60_000);

/** No session ends by this within a test, however busy the machine. */
const LONG_MS = 40_000;

const script = fileURLToPath(new URL('../support/embedded-process.ts', import.meta.url));

interface Process {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  says(line: string): Promise<void>;
  /** Resolves when it is gone, with its exit code or signal. */
  readonly gone: Promise<unknown>;
}

describe('several processes on one file', () => {
  let directory = '';
  let path = '';
  let coordinators: EmbeddedCoordinator[] = [];
  let processes: Process[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cronkeeper-'));
    path = join(directory, 'shared.db');
  });

  afterEach(async () => {
    for (const { child } of processes) child.kill('SIGKILL');
    await Promise.all(processes.map(({ gone }) => gone));
    await Promise.all(coordinators.map((coordinator) => coordinator.close()));
    [processes, coordinators] = [[], []];
    rmSync(directory, { recursive: true });
  });

  async function connect(): Promise<Session> {
    const coordinator = openEmbedded({ path, sessionTimeoutMs: LONG_MS, clock: systemClock });
    coordinators.push(coordinator);
    return await coordinator.connect();
  }

  function start(role: string, sessionTimeoutMs = LONG_MS): Process {
    const child = spawn(process.execPath, [script, role, path, `${sessionTimeoutMs}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const gone = once(child, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
    const says = (line: string) => eventually(`${role} says ${line}`, () => lines.includes(line));
    const started = { child, lines, gone, says };
    processes.push(started);
    return started;
  }

  it('loses nothing that was acknowledged, and halves nothing, when a process is killed amid its writes', async () => {
    const writer = start('append');
    await eventually('many writes are acknowledged', () => writer.lines.length > 300);
    writer.child.kill('SIGKILL');
    expect(await writer.gone).toBe('SIGKILL');
    const session = await connect();
    const names = new Set(await session.children('/'));
    expect(writer.lines.filter((number) => !names.has(`a-${number}`) || !names.has(`b-${number}`))).toEqual([]);
    expect([...names].filter((name) => name.startsWith('a-') && !names.has(name.replace('a', 'b')))).toEqual([]);
    await session.multi([{ op: 'create', path: '/goes-on', data: '' }]);
  });

  it('frees the locks of a process that was killed as soon as another one comes', async () => {
    const holder = start('hold');
    await holder.says('holding');
    holder.child.kill('SIGKILL');
    await holder.gone;
    const next = await connect();
    expect(await next.get('/lock')).toBeUndefined();
  });

  it('frees the locks of a process that was killed before their time-out, and tells who is watching', async () => {
    const watcher = await connect();
    const holder = start('hold');
    await holder.says('holding');
    const onChange = jest.fn<() => void>();
    expect(await watcher.get('/lock', onChange)).toBeDefined();
    holder.child.kill('SIGKILL');
    await eventually('the watch fired', () => onChange.mock.calls.length === 1);
    expect(await watcher.get('/lock')).toBeUndefined();
  });

  it('loses no update when two processes hammer one counter', async () => {
    const session = await connect();
    await session.multi([{ op: 'create', path: '/counter', data: '0' }]);
    const counters = [start('count'), start('count')];
    expect(await Promise.all(counters.map(({ gone }) => gone))).toEqual([0, 0]);
    expect((await session.get('/counter'))?.data).toBe(String(2 * COUNTS_PER_PROCESS));
  });

  it('keeps out a process that was frozen for longer than its session time-out', async () => {
    const session = await connect();
    await session.multi([{ op: 'create', path: '/record', data: 'kept' }]);
    const holder = start('hold', 1_000);
    await holder.says('holding');
    await frozenOutside(holder, async () => (await session.get('/lock')) === undefined);
    await session.multi([{ op: 'create', path: '/lock', data: 'taken over', mode: 'ephemeral' }]);
    holder.child.stdin?.write('write\n');
    holder.child.kill('SIGCONT');
    await holder.says('ended');
    await holder.says('session-lost');
    expect(holder.lines).not.toContain('wrote');
    expect(await session.get('/record')).toMatchObject({ data: 'kept', version: 0 });
    expect(await session.get('/lock')).toMatchObject({ data: 'taken over', owner: session.id });
  });

  /** Freezes a process until `holds`; not amid a transaction, in which it would keep the whole file locked. */
  async function frozenOutside({ child }: Process, holds: () => Promise<boolean>): Promise<void> {
    child.kill('SIGSTOP');
    await eventually('the frozen process is given up', async () => {
      try {
        return await holds();
      } catch (error) {
        if (!isCronkeeperError(error, 'unavailable')) throw error;
        child.kill('SIGCONT');
        await sleep(systemClock, 20);
        child.kill('SIGSTOP');
        return false;
      }
    });
  }

  it('goes on where a process froze for less than its time-out', async () => {
    const session = await connect();
    await session.multi([{ op: 'create', path: '/record', data: '' }]);
    const holder = start('hold');
    await holder.says('holding');
    holder.child.kill('SIGSTOP');
    await sleep(systemClock, 50);
    holder.child.kill('SIGCONT');
    holder.child.stdin?.write('write\n');
    await holder.says('wrote');
    expect(holder.lines).not.toContain('ended');
  });

  it('lets a process end that left a session and a watch open', async () => {
    const process = start('idle');
    expect(await process.gone).toBe(0);
    expect(process.lines).toEqual(['idle']);
  });

  it('lets a dozen coordinators open one new file at once', async () => {
    const sessions = await Promise.all(Array.from({ length: 12 }, () => connect()));
    expect(new Set(sessions.map(({ id }) => id)).size).toBe(12);
  });
});
