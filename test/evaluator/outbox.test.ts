/** Reports between threads: none is lost, doubled or mixed up, wherever in the ring it lies. */
import { expect, test } from '@jest/globals';
import { nextSeq } from '../../src/evaluator/board.ts';
import { Outbox, type Report } from '../../src/evaluator/outbox.ts';

const report = (seq: number, body = '"result"', rest: Partial<Report> = {}): Report => ({
  seq,
  startedMs: 1_700_000_000_000.25,
  wallMs: 1.5,
  cpuMs: 0.5,
  peakBytes: 3_000_000_000,
  hostCalls: 2,
  truncated: false,
  body,
  logs: '',
  answers: '',
  ...rest,
});

const pair = (): [writer: Outbox, reader: Outbox] => {
  const writer = new Outbox();
  return [writer, new Outbox(writer.shared)];
};

function all(reader: Outbox): Report[] {
  const reports: Report[] = [];
  for (let report = reader.take(); report !== undefined; report = reader.take()) reports.push(report);
  return reports;
}

test('a report comes out as it went in', () => {
  const [writer, reader] = pair();
  const reports = [
    report(1),
    report(-5, '"Grüße 🎉"', { logs: '["ü"]', truncated: true }),
    report(7, '{"name":"E"}', { failure: 'Thrown' }),
    report(8, '', { failure: 'Cancelled' }),
  ];
  for (const each of reports) expect(writer.write(each)).toBe(true);
  expect(all(reader)).toEqual(reports);
  expect(all(reader)).toEqual([]);
});

test('reports of all sizes pass many times around the ring', () => {
  const [writer, reader] = pair();
  const waiting: Report[] = [];
  let seq = 0;
  for (let i = 0; i < 20_000; i++) {
    seq = nextSeq(seq);
    const next = report(seq, 'x'.repeat((i * 7919) % 3000), { logs: i % 3 === 0 ? 'ü'.repeat(i % 50) : '' });
    if (writer.write(next)) waiting.push(next);
    if (i % 37 === 0) expect(all(reader)).toEqual(waiting.splice(0));
  }
  expect(all(reader)).toEqual(waiting);
});

test('a full ring refuses, loses nothing, and takes more when it was read', () => {
  const [writer, reader] = pair();
  let written = 0;
  while (writer.write(report(written + 1, 'x'.repeat(1000)))) written++;
  expect(written).toBeGreaterThan(250);
  expect(all(reader).map(({ seq }) => seq)).toEqual(Array.from({ length: written }, (_, i) => i + 1));
  expect(writer.write(report(1, 'x'.repeat(1000)))).toBe(true);
});

test('a report larger than the ring is refused', () => {
  const [writer, reader] = pair();
  expect(writer.write(report(1, 'x'.repeat(2_000_000)))).toBe(false);
  expect(all(reader)).toEqual([]);
});

test('names of runs wrap around, and never name nothing', () => {
  expect(nextSeq(2 ** 31 - 1)).toBe(-(2 ** 31));
  expect(nextSeq(-1)).toBe(1);
});
