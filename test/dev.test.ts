/** `cronkeeper dev`, which is `npm start`: that no second is missed or doubled, and that it ends and begins in order. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createHttpClient } from '../src/client.ts';
import type { Run } from '../src/view.ts';
import { eventually } from './contract/coordinator/world.ts';
import { cli, Running } from './support/cli.ts';

jest.setTimeout(120_000);

let cwd = '';
let running: Running[] = [];

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'cronkeeper-dev-'));
});

afterEach(async () => {
  await Promise.all(running.map((process) => process.stop('SIGKILL')));
  running = [];
  await rm(cwd, { recursive: true });
});

interface Stack {
  readonly process: Running;
  readonly url: string;
}

async function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const process = new Running(['dev', ...args], { cwd, env: { PORT: '0', ...env } });
  running.push(process);
  const banner = await process.line(/Console and API +http/);
  return { process, url: banner.trim().split(/\s+/).at(-1) ?? '' };
}

async function json(...args: string[]) {
  const { code, stdout, stderr } = await cli([...args, '--json'], { cwd });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

const everySecond = { id: 'tock', schedule: { every: '1s' }, code: '({ output: ctx.slot })', history: 200 };

/** How many slots each run of a task stands for, from the first to the last; oldest first. */
const slotsOf = (runs: readonly Run[]): number[] =>
  runs
    .flatMap(({ slot, lastSlot = slot, count = 1 }) => {
      const firstMs = Date.parse(slot);
      expect(Date.parse(lastSlot) - firstMs).toBe((count - 1) * 1_000);
      return Array.from({ length: count }, (_, i) => firstMs + i * 1_000);
    })
    .sort((a, b) => a - b);

/** Every second once. */
function expectGapless(slots: readonly number[]): void {
  const first = slots[0] ?? 0;
  expect(slots).toEqual(slots.map((_, i) => first + i * 1_000));
}

const allRuns = async (url: string, id: string): Promise<readonly Run[]> =>
  (await createHttpClient({ endpoint: url }).runs(id, { limit: 1_000 })).items;

describe('the local stack', () => {
  test('runs the examples, and a task that is put by hand, every second across its ticks', async () => {
    const { process, url } = await start(['--every', '2s']);
    await process.line(/[✓✗] \S+ +late \d/);
    const client = createHttpClient({ endpoint: url });
    await client.put(everySecond);
    // Three ticks at least: what matters happens between them.
    await eventually('it has run eight times', async () => (await allRuns(url, 'tock')).length >= 8);
    const runs = await allRuns(url, 'tock');
    expectGapless(slotsOf(runs));
    expect(new Set(runs.map(({ status, attempt }) => `${status} ${attempt}`))).toEqual(new Set(['succeeded 1']));
    expect(new Set(runs.map(({ fence }) => fence)).size).toBeGreaterThan(2);
    expect(await process.stop()).toBe(0);
    expect(process.err.at(-1)).toBe('stopped');
    const { checks } = await json('doctor');
    expect(checks.at(-1).detail).toMatch(/^8, 0 held now/);
  });

  test('goes on after it was killed, and the outage is on record', async () => {
    const first = await start(['--no-examples', '--every', '30s']);
    await createHttpClient({ endpoint: first.url }).put(everySecond);
    await first.process.line(/✓ tock/);
    await first.process.stop('SIGKILL');
    const killedAtMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const { process, url } = await start(['--no-examples', '--every', '30s']);
    await eventually('it runs in time again', async () => {
      const [latest] = await allRuns(url, 'tock');
      return latest?.status === 'succeeded' && Date.parse(latest.slot) > killedAtMs + 4_000;
    });
    const runs = await allRuns(url, 'tock');
    expectGapless(slotsOf(runs));
    expect(runs.filter(({ status }) => status === 'skipped')).toMatchObject([{ reason: 'coalesced' }]);
    await process.line(/↷ tock +skipped \d+ slots/);
    expect(await process.stop('SIGINT')).toBe(0);
  });

  test('lets what runs end when it is stopped', async () => {
    const { process, url } = await start(['--no-examples']);
    const code = 'export default () => new Promise((resolve) => setTimeout(() => resolve("ended"), 1500))';
    const client = createHttpClient({ endpoint: url });
    await client.put({ id: 'slow', schedule: { every: '1h' }, code: `console.log('begun'); ${code}` });
    await client.run('slow');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await process.stop()).toBe(0);
    expect(process.out).toEqual([expect.stringMatching(/✓ slow .*ended/)]);
    expect((await json('runs', 'slow')).items).toMatchObject([{ status: 'succeeded', output: 'ended' }]);
  });

  test('ends at once when it is asked again', async () => {
    const { process, url } = await start(['--no-examples']);
    const client = createHttpClient({ endpoint: url });
    const code = 'export default () => new Promise((resolve) => setTimeout(resolve, 9000))';
    await client.put({ id: 'long', schedule: { every: '1h' }, code });
    await client.run('long');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // What comes right after the first is the same Ctrl-C, passed on by npm: it must not count.
    const nagging = setInterval(() => process.child.kill('SIGINT'), 100);
    const ended = await process.gone;
    clearInterval(nagging);
    expect(ended).toBe(130);
    expect(process.err.at(-1)).toMatch(/^stopping/);
  });

  test('applies the examples to an empty namespace only, unless it is told to', async () => {
    const first = await start();
    await first.process.line(/^applied the examples: .*heartbeat/);
    for (const { id } of (await json('list')).items) if (id !== 'flaky') await json('remove', id);
    await first.process.stop();
    const second = await start();
    expect((await json('list')).items).toMatchObject([{ id: 'flaky' }]);
    await second.process.stop();
    await start(['--examples']);
    expect((await json('list')).items).toHaveLength(6);
  });

  test('takes the next port when the first is taken, and says so', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const { process, url } = await start(['--no-examples'], { PORT: String(port) });
    expect(process.err).toContain(`port ${port} is taken; trying ${port + 1}`);
    expect(url).toBe(`http://127.0.0.1:${port + 1}`);
    await new Promise((resolve) => other.close(resolve));
  });

  test('shows how to add a task by a line that works', async () => {
    const token = 'a-token-of-sixteen-or-more';
    const { process, url } = await start(['--no-examples', '--json'], { CRONKEEPER_API_TOKEN: token });
    const [, method, target, document] = /curl -X (\w+) (\S+) .* \\\n *-d '(.*)'/.exec(process.err.join('\n')) ?? [];
    const headers = { 'content-type': 'application/json' };
    const request = { method: method ?? '', body: document ?? '', headers };
    expect((await fetch(target ?? '', request)).status).toBe(401);
    const authorized = { ...request, headers: { ...headers, authorization: `Bearer ${token}` } };
    expect((await fetch(target ?? '', authorized)).status).toBe(201);
    const result = await cli(['run', 'hello', '--wait', '--endpoint', url, '--json'], {
      cwd,
      env: { CRONKEEPER_API_TOKEN: token },
    });
    expect(JSON.parse(result.stdout).run).toMatchObject({ status: 'succeeded', output: 'hello' });
    for (const line of process.out) expect(JSON.parse(line)).toMatchObject({ taskId: 'hello' });
  });
});

describe('the command line over HTTP', () => {
  test('does what it does on the registry', async () => {
    const { url } = await start(['--no-examples']);
    const there = (...args: string[]) => json(...args, '--endpoint', url);
    const stdin = JSON.stringify({ id: 'report', schedule: { every: '1h' }, code: '({ output: ctx.input })' });
    const applied = await cli(['apply', '-', '--endpoint', url, '--json'], { cwd, stdin });
    expect(JSON.parse(applied.stdout).items).toMatchObject([{ id: 'report', created: true }]);
    expect((await there('list')).items).toMatchObject([{ id: 'report', status: 'active' }]);
    expect(await there('get', 'report')).toMatchObject({ id: 'report', code: '({ output: ctx.input })' });
    expect(await there('run', 'report', '--input', '7', '--wait')).toMatchObject({ run: { output: 7 } });
    expect((await there('runs', 'report')).items).toMatchObject([{ status: 'succeeded', output: 7 }]);
    expect(await there('pause', 'report')).toMatchObject({ status: 'paused' });
    expect(await there('resume', 'report')).toMatchObject({ status: 'active' });
    expect((await there('doctor')).checks).toContainEqual(expect.objectContaining({ check: 'endpoint', status: 'ok' }));
    expect(await there('remove', 'report')).toEqual({ id: 'report', removed: true });
    expect((await cli(['get', 'report', '--endpoint', url], { cwd })).code).toBe(1);
  });

  test('stores nothing when a document in the middle is refused, its code included', async () => {
    const { url } = await start(['--no-examples']);
    const task = (id: string, code = '1') => ({ id, schedule: { every: '1h' }, code });
    const stdin = JSON.stringify([task('first'), task('broken', 'const const'), task('last')]);
    const { code, stderr } = await cli(['apply', '-', '--endpoint', url], { cwd, stdin });
    expect(code).toBe(1);
    expect(stderr).toMatch(/standard input, document 2, code: SyntaxError/);
    expect((await json('list', '--endpoint', url)).items).toEqual([]);
  });
});
