/** One run: what its engine may say, and when it is believed. */
import { expect, test } from '@jest/globals';
import { systemClock as clock } from '../../src/clock.ts';
import { Board } from '../../src/evaluator/board.ts';
import { Execution } from '../../src/evaluator/execution.ts';
import type { Order } from '../../src/evaluator/messages.ts';
import type { Report } from '../../src/evaluator/outbox.ts';
import type { Stage } from '../../src/evaluator/stage.ts';
import { Occupancy } from '../../src/evaluator/stopwatch.ts';
import { judgeResult } from '../../src/evaluator/verdict.ts';
import { DEFAULT_LIMITS } from '../../src/evaluator.ts';
import { programOf } from '../../src/program.ts';

const program = programOf('1');
const ORDER: Order = {
  seq: 1,
  task: 'run',
  hash: program.hash,
  context: '[]',
  nowMs: 0,
  notBeforeMs: 0,
  seed: '1',
  limits: DEFAULT_LIMITS,
};

/** A run whose engine does this as soon as it is entered. */
function perform(act: (run: Execution) => void) {
  const ends: unknown[] = [];
  const reports: Report[] = [];
  const stage = {
    occupancy: new Occupancy(),
    enter: (run: Execution) => act(run),
    memoryOf: () => undefined,
    leave: (_run: Execution, failure: unknown) => ends.push(failure),
  };
  const execution = new Execution(
    ORDER,
    { program },
    {
      clock,
      board: new Board(),
      stage: stage as unknown as Stage,
      startedMs: 0,
      ask: () => {},
      ended: (report) => reports.push(report),
    },
  );
  execution.start();
  return { reports, ends };
}

const breakOff = () => {
  throw new WebAssembly.RuntimeError('memory access out of bounds');
};

test.each([
  ['a result', 'D', '1'],
  ['an error of its own', 'E', '{"name":"Error","message":"x"}'],
  ['that it has no default export', 'M', ''],
])('an engine that breaks off after it has said %s is not to be trusted: nor is its memory', (_what, letter, text) => {
  const { reports, ends } = perform((run) => {
    run.receive(letter, text, text.length);
    breakOff();
  });
  expect(reports).toMatchObject([{ failure: 'EngineTrap' }]);
  expect(ends).toEqual(['EngineTrap']);
});

test('a result is none before the run has begun', () => {
  const { reports } = perform((run) => {
    run.receive('D', '1', 1);
    breakOff();
  });
  expect(reports).toMatchObject([{ failure: 'EngineTrap' }]);
});

test('nothing is answered after the end', () => {
  const answers: unknown[] = [];
  perform((run) => {
    for (let i = 0; i < 2; i++) {
      for (const [letter, text] of ['Cadd\n[]', 'Fx', 'SNutf8', 'T1\n1'].map((m) => [m.slice(0, 1), m.slice(1)])) {
        answers.push(run.receive(letter!, text!, text!.length));
      }
      run.receive('M', '', 0);
    }
    breakOff();
  });
  expect(answers).toEqual(['P1', 'P2', 'utf-8', undefined, undefined, undefined, undefined, undefined]);
});

test('what is no JSON is not looked through again and again, until somebody has to end the worker', () => {
  const bytes = 1024 * 1024;
  // From every quotation mark to the end would be some hundred thousand million steps.
  const forged = `"${'\\"'.repeat(bytes / 2 - 1)}`;
  expect(judgeResult(forged, bytes, { ...DEFAULT_LIMITS, resultBytes: bytes })).toEqual({ body: forged });
  const deep = `"${'\\"['.repeat(1000)}",${'['.repeat(501)}`;
  expect(judgeResult(deep, deep.length, DEFAULT_LIMITS)).toMatchObject({ failure: 'ResultTooLarge' });
  const flat = `["${'['.repeat(1000)}","\\\\",${'[],'.repeat(1000)}1]`;
  expect(judgeResult(flat, flat.length, DEFAULT_LIMITS)).toEqual({ body: flat });
});
