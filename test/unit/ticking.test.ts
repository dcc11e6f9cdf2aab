/** A worker goes on whatever a tick comes to, without spinning. */
import { describe, expect, test } from '@jest/globals';
import { keepTicking } from '../../src/cli/ticking.ts';
import type { TickReport } from '../../src/report.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const LINGER_MS = 10_000;

/** Each tick takes its turn from `turns`: the shards it gets, or a failure; then it is told to stop. */
async function worker(...turns: readonly (number | Error)[]) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const startedMs: number[] = [];
  const said: string[] = [];
  const waiting = turns.values();
  const tick = async (): Promise<TickReport> => {
    startedMs.push(clock.elapsed());
    const { value: turn, done } = waiting.next();
    if (done) stop.abort();
    if (turn instanceof Error) throw turn;
    const lingerMs = turn === 0 ? 1 : LINGER_MS;
    if (!done) await new Promise<void>((resolve) => clock.after(lingerMs, resolve));
    return { shards: turn ?? 8 } as TickReport;
  };
  const ended = keepTicking({
    tick,
    clock,
    random: () => 1,
    signal: stop.signal,
    onIdle: () => said.push('idle'),
    onFailure: (message, retryMs) => said.push(`${message}, again in ${retryMs} ms`),
  });
  // The first tick begins, and what follows a failure of it.
  await clock.advance(0);
  return { clock, stop, startedMs, said, ended };
}

describe('tick after tick', () => {
  test('a tick that lingered is followed at once: no second is missed between two', async () => {
    const { clock, startedMs, said, ended } = await worker(8, 8, 8);
    await clock.advance(60_000);
    await ended;
    expect(startedMs).toEqual([0, 10_000, 20_000, 30_000]);
    expect(said).toEqual([]);
  });

  test('a tick that failed is followed by another, later and later, and a good one begins anew', async () => {
    const failures = Array.from({ length: 9 }, () => new Error('no leader'));
    const { clock, startedMs, said, ended } = await worker(...failures, 8, new Error('again'));
    await clock.advance(300_000);
    await ended;
    const pausesMs = startedMs.slice(1, 10).map((ms, i) => ms - (startedMs[i] ?? 0));
    expect(pausesMs).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(said.at(0)).toBe('no leader, again in 250 ms');
    expect(said.at(-1)).toBe('again, again in 250 ms');
  });

  test('while others hold every shard it looks once a second, and says so once', async () => {
    const { clock, startedMs, said, ended } = await worker(0, 0, 0, 8, 0);
    await clock.advance(60_000);
    await ended;
    expect(said).toEqual(['idle', 'idle']);
    expect(startedMs.slice(0, 4)).toEqual([0, 1_001, 2_002, 3_003]);
  });

  test('the pause after a failure ends when it is stopped', async () => {
    const { clock, stop, startedMs, ended } = await worker(new Error('no leader'));
    await clock.advance(100);
    stop.abort();
    await ended;
    expect(startedMs).toEqual([0]);
  });

  test('a tick that fails on the way out is not passed over in silence', async () => {
    const stop = new AbortController();
    const failing = keepTicking({
      tick: async () => {
        stop.abort();
        throw new Error('not recorded');
      },
      clock: new VirtualClock(),
      random: () => 1,
      signal: stop.signal,
      onIdle: () => {},
      onFailure: () => {},
    });
    await expect(failing).rejects.toThrow('not recorded');
  });
});
