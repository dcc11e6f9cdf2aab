import type { Report } from '../../src/evaluator/outbox.ts';

/** What a worker says of a run that went well. */
export const reportOf = (seq: number, rest: Partial<Report> = {}): Report => ({
  seq,
  startedMs: 1,
  wallMs: 2,
  cpuMs: 1,
  peakBytes: 65_536,
  hostCalls: 0,
  truncated: false,
  body: '"done"',
  logs: '',
  answers: '',
  ...rest,
});
