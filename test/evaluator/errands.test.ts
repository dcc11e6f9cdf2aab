/** What a run waits for is counted by the host: a guest that lies, floods or repeats itself gets no more than its limits. */
import { expect, test } from '@jest/globals';
import { CALL_BYTES, Errands } from '../../src/evaluator/errands.ts';
import { RunClock } from '../../src/evaluator/run-clock.ts';
import { DEFAULT_LIMITS, type Limits, type RecordedAnswer } from '../../src/evaluator.ts';

interface Asked {
  readonly call: number;
  readonly name: string;
  readonly args: string;
}

function errandsOf(limits: Partial<Limits> = {}, answers?: readonly RecordedAnswer[]) {
  const asked: Asked[] = [];
  const errands = new Errands(
    { ...DEFAULT_LIMITS, ...limits },
    (_kind, call, name, args) => asked.push({ call, name, args }),
    answers,
  );
  const call = (text: string) => errands.call(text, Buffer.byteLength(text));
  return { errands, asked, call };
}

/** What the run is woken for until it runs dry. */
function wakes(errands: Errands, horizonMs: number): string[] {
  const seen: string[] = [];
  for (let now = 0; ; ) {
    const wake = errands.next(now, horizonMs);
    if (wake === undefined) return seen;
    now = Math.max(now, wake.at);
    seen.push(`${wake.at} ${'timer' in wake ? wake.timer : wake.answer}`);
  }
}

test('the same call again is another call, so that none gets around the limit of those that are pending', () => {
  const { errands, asked, call } = errandsOf({ concurrentCalls: 2 });
  expect([call('add\n[1]'), call('add\n[1]'), call('add\n[1]')]).toEqual([
    'P1',
    'P2',
    'LConcurrencyLimit\nno more than 2 host calls may be pending at a time',
  ]);
  expect(asked).toEqual([1, 2].map((number) => ({ call: number, name: 'add', args: '[1]' })));
  expect([...errands.told]).toEqual(['ConcurrencyLimit']);
});

test('a call that is refused is told so at once, and leaves nothing behind', () => {
  const { errands, asked, call } = errandsOf({ hostCalls: 0 });
  for (let i = 0; i < 3; i++) expect(call('add\n[]')).toMatch(/^LHostCallLimit\n/);
  expect(errandsOf().errands.fetch('x', CALL_BYTES + 1)).toBe('Ethe arguments have 262145 bytes; 262144 are allowed');
  expect(errandsOf().errands.fetch('x', CALL_BYTES)).toBe('P1');
  expect({ asked, made: errands.hostCalls, given: errands.given, isEmpty: errands.isEmpty }).toEqual({
    asked: [],
    made: 0,
    given: [],
    isEmpty: true,
  });
  expect(wakes(errands, 1000)).toEqual([]);
});

test.each([
  ['add\n[1]', 'add', '[1]'],
  ['\n', '', ''],
  ['\n\n\n', '', '\n\n'],
  ['add\n["a\\nb"]\n', 'add', '["a\\nb"]\n'],
])('of %j, the first line is the name', (text, name, args) => {
  const { asked, call } = errandsOf();
  call(text);
  expect(asked).toEqual([{ call: 1, name, args }]);
});

test('an answer is given once, and none to a call that was never made', () => {
  const { errands, call } = errandsOf();
  call('add\n[]');
  expect(errands.arrive(2, 'V2')).toBe(false);
  expect([errands.arrive(1, 'V1'), errands.arrive(1, 'V2')]).toEqual([true, true]);
  expect(wakes(errands, 5)).toEqual(['5 V1']);
  expect(errands.given).toMatchObject([{ call: 1, answer: 'V1', atMs: 5 }]);
  expect(errands.arrive(1, 'V3')).toBe(false);
});

test('what is due comes by time, and of the same time as it was set; answers come after it', () => {
  const { errands, call } = errandsOf();
  call('add\n[]');
  for (const [id, ms] of Object.entries({ a: 30, b: 10, c: 30, d: 20, e: 31 })) errands.setTimer(`${id}\n${ms}`, 0);
  errands.arrive(1, 'V1');
  expect(errands.nextTimerMs).toBe(10);
  expect(wakes(errands, 30)).toEqual(['10 b', '20 d', '30 a', '30 c', '30 V1']);
  expect(wakes(errands, 30.9)).toEqual([]);
  expect(wakes(errands, 31)).toEqual(['31 e']);
});

test('a run that has looked at the clock so often that its time is ahead does not go back', () => {
  const { errands, call } = errandsOf();
  call('add\n[]');
  errands.setTimer('a\n45', 0);
  errands.setTimer('b\n55', 0);
  errands.arrive(1, 'V1');
  const [nowMs, horizonMs] = [50, 10];
  expect(errands.next(nowMs, horizonMs)).toEqual({ at: 45, timer: 'a' });
  expect(errands.next(nowMs, horizonMs)).toEqual({ at: 50, call: 1, answer: 'V1' });
  expect(errands.next(nowMs, horizonMs)).toBeUndefined();
});

test('a timer that is set again is one timer', () => {
  const { errands } = errandsOf();
  errands.setTimer('1\n5', 0);
  errands.setTimer('1\n7', 0);
  errands.setTimer('2\n6', 0);
  errands.clearTimer('2');
  errands.clearTimer('3');
  expect(wakes(errands, 100)).toEqual(['7 1']);
});

test('timers beyond the limit are refused, and only those', () => {
  const { errands } = errandsOf({ timers: 2 });
  expect([1, 2, 3].map((id) => errands.setTimer(`${id}\n1`, 0))).toEqual([
    undefined,
    undefined,
    'TimerLimit\nno more than 2 timers may be pending at a time',
  ]);
  errands.clearTimer('1');
  expect(errands.setTimer('3\n1', 0)).toBeUndefined();
  expect([...errands.told]).toEqual(['TimerLimit']);
});

test.each([
  ['', 1],
  ['NaN', 1],
  ['-5', 1],
  ['-Infinity', 1],
  ['0.5', 1],
  ['1.5', 1.5],
  ['1e400', 2 ** 31 - 1],
  ['99999999999999', 2 ** 31 - 1],
])('a delay of %j is one of %d ms', (delay, ms) => {
  const { errands } = errandsOf();
  errands.setTimer(`1\n${delay}`, 100);
  expect(errands.nextTimerMs).toBe(100 + ms);
});

test('a run that is over waits for nothing', () => {
  const { errands, call } = errandsOf();
  call('add\n[]');
  errands.arrive(1, 'V1');
  errands.setTimer('1\n1', 0);
  errands.drop();
  expect({ isEmpty: errands.isEmpty, wakes: wakes(errands, 1e9) }).toEqual({ isEmpty: true, wakes: [] });
});

test('answers beyond all bounds are not kept, those before included', () => {
  const { errands, call } = errandsOf();
  for (let i = 1; i <= 3; i++) {
    call('large\n[]');
    errands.arrive(i, `V"${'x'.repeat(30_000)}"`);
    wakes(errands, i);
    expect(errands.given === 'too-large').toBe(i === 3);
  }
});

test('a repeated run is not given the answer to a call that it has not made yet, nor does it lose it', () => {
  const { errands, asked, call } = errandsOf({}, [{ call: 1, request: '', atMs: 5, answer: 'V1' }]);
  errands.setTimer('a\n3', 0);
  expect(errands.next(0, 0)).toEqual({ at: 3, timer: 'a' });
  expect(errands.next(3, 0)).toBeUndefined();
  call('add\n[]');
  expect(errands.next(3, 0)).toEqual({ at: 5, call: 1, answer: 'V1' });
  expect(asked).toEqual([]);
});

test('the time of a run does not go back when it is woken for what was due before', () => {
  const own = new RunClock();
  own.advance(10);
  own.advance(4);
  expect(own.ms).toBe(10);
  expect(own.look()).toBeGreaterThan(10);
});
