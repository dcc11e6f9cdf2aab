/** What a worker reports may come from a broken engine: the main thread must make an outcome of it, whatever it is. */
import { describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/evaluator/outbox.ts';
import { outcomeOf } from '../../src/evaluator/outcome.ts';

const report: Report = {
  seq: 1,
  startedMs: 5,
  wallMs: 7,
  cpuMs: 6,
  peakBytes: 0,
  hostCalls: 0,
  truncated: false,
  body: '{"completed":true}',
  logs: '["line"]',
  answers: '',
};

test('a report becomes an outcome', () => {
  expect(outcomeOf(report)).toMatchObject({ status: 'succeeded', completed: true, logs: ['line'], startedMs: 5 });
});

describe('a report that is no JSON is a trap of the engine, and not an error of the host:', () => {
  test.each<[string, Partial<Report>]>([
    ['the result', { body: 'nope' }],
    ['an empty result', { body: '' }],
    ['half a result', { body: '{"completed":true' }],
    ['the error', { failure: 'Thrown', body: 'D"forged"' }],
    ['the logs', { logs: 'L' }],
    ['the answers', { answers: '[' }],
  ])('%s', (_what, forged) => {
    expect(outcomeOf({ ...report, ...forged })).toMatchObject({
      status: 'failed',
      error: { class: 'EngineTrap' },
      startedMs: 5,
      usage: { wallMs: 7 },
    });
  });
});
