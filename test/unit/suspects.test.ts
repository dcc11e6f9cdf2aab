/** When a launch that may kill its holder gets its turn: after all else, alone, and never for ever later. */
import { describe, expect, test } from '@jest/globals';
import type { TimedEntry } from '../../src/due.ts';
import { Suspects } from '../../src/suspects.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const entry = (taskId: string): TimedEntry => ({ taskId }) as TimedEntry;

function setUp() {
  const clock = new VirtualClock();
  let changes = 0;
  const suspects = new Suspects(clock, () => changes++);
  return { clock, suspects, changes: () => changes };
}

describe('suspects', () => {
  test('wait while anything else is on its way', () => {
    const { suspects } = setUp();
    suspects.add(entry('a'));
    expect(suspects.take(false)).toBeUndefined();
    expect(suspects.take(true)).toEqual(entry('a'));
  });

  test('go one by one, in the order in which they came', () => {
    const { suspects } = setUp();
    const [a, b] = [entry('a'), entry('b')];
    suspects.add(a);
    suspects.add(b);
    expect(suspects.take(true)).toBe(a);
    expect(suspects.take(true)).toBeUndefined();
    suspects.release(entry('a'));
    expect(suspects.take(true)).toBeUndefined();
    suspects.release(a);
    expect(suspects.take(true)).toBe(b);
    expect(suspects.waiting).toBe(0);
  });

  test('get a turn in a tick that is never quiet', async () => {
    const { clock, suspects, changes } = setUp();
    suspects.add(entry('a'));
    await clock.advance(4_999);
    expect(suspects.take(false)).toBeUndefined();
    await clock.advance(1);
    expect(changes()).toBe(1);
    expect(suspects.take(false)).toEqual(entry('a'));
  });

  test('are told of when the next one has waited long enough behind another', async () => {
    const { clock, suspects, changes } = setUp();
    const [a, b] = [entry('a'), entry('b')];
    suspects.add(a);
    expect(suspects.take(true)).toBe(a);
    suspects.add(b);
    await clock.advance(500);
    suspects.release(a);
    await clock.advance(4_499);
    expect(changes()).toBe(0);
    await clock.advance(1);
    expect(changes()).toBe(1);
    expect(suspects.take(false)).toBe(b);
  });

  test('that live on do not keep the next one from its turn: long runs do not queue up', async () => {
    const { clock, suspects } = setUp();
    const [a, b, c] = [entry('a'), entry('b'), entry('c')];
    for (const each of [a, b, c]) suspects.add(each);
    expect(suspects.take(true)).toBe(a);
    expect(suspects.take(true)).toBeUndefined();
    await clock.advance(1_000);
    expect(suspects.take(true)).toBe(b);
    await clock.advance(1_000);
    expect(suspects.take(true)).toBe(c);
    expect(suspects.begun).toBe(3);
  });

  test('keep everybody else waiting for their first moments, and no longer', async () => {
    const { clock, suspects, changes } = setUp();
    const a = entry('a');
    suspects.add(a);
    suspects.take(true);
    expect(suspects.isAlone).toBe(true);
    expect(suspects.hasBegun(a)).toBe(true);
    await clock.advance(1_000);
    expect(suspects.isAlone).toBe(false);
    expect(changes()).toBe(1);
    expect(suspects.begun).toBe(1);
    suspects.release(a);
    expect(suspects.hasBegun(a)).toBe(false);
    expect(suspects.begun).toBe(0);
  });

  test('keep nobody waiting once they are through', () => {
    const { suspects } = setUp();
    const a = entry('a');
    suspects.add(a);
    suspects.take(true);
    suspects.release(a);
    expect(suspects.isAlone).toBe(false);
  });

  test('leave no timer behind', () => {
    const { clock, suspects } = setUp();
    suspects.add(entry('a'));
    suspects.stop();
    expect(clock.waiting).toBe(0);
  });
});
