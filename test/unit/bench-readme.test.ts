/** The README's table of measurements: made from the data of a run, and in the README as it was made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { summarize } from '../../bench/measure.ts';
import { type BenchData, blockOf, LINES, type Line, readmeBlock, UNMEASURED, withBlock } from '../../bench/readme.ts';
import type { Unit } from '../../bench/suite.ts';
import type { RowData } from '../../bench/table.ts';
import { projectRoot } from '../../tools/imports.ts';

const row = (section: string, name: string, unit: Unit, ...values: readonly number[]): RowData => ({
  ...{ section, name, unit },
  ...(values.length === 0 ? { absent: 'not installed' } : { ...summarize(values), values }),
});
const suite = (name: string, ...rows: readonly RowData[]) => {
  return { suite: name, peer: 'none', rows, comparisons: [], notes: [] };
};

const data: BenchData = {
  ...{ measuredAt: '2026-03-08T23:59:59.999Z', rounds: 3, quick: false },
  machine: {
    ...{ cpus: 2, cpuModel: 'Model', memoryGiB: 8, platform: 'linux x64', node: '24.21.0', loadAverage: 0.5 },
    software: ['Java 17', 'ZooKeeper 3.8.0', 'BullMQ 5, Redis 7'],
  },
  suites: [
    suite(
      'drain',
      row('10 due', 'Cronkeeper', 'launches/s', 300, 100, 200),
      row('10 due', 'BullMQ, in process', 'launches/s', 150, 200, 100),
      row('10 due', 'BullMQ, sandbox threads', 'launches/s'),
      row('50 due', 'Cronkeeper', 'launches/s', 1),
      row('50 due', 'BullMQ, in process, fsync always', 'launches/s', 1),
    ),
    suite('put', row('10 tasks', 'Cronkeeper', 'tasks/s', 4), row('10 tasks', 'BullMQ', 'tasks/s', 2)),
    suite(
      'repeat',
      row('1 task', 'Cronkeeper, start p50', 'ms', 1),
      row('1 task', 'BullMQ, CPU in all', 'µs/launch', 3),
      row('1 task', 'Cronkeeper, CPU in all', 'µs/launch', 2),
    ),
    suite(
      'idle',
      ...[0, 10, 20].map((tasks) => row('Nothing', `tick, ${tasks} tasks`, 'ms', 10 + tasks)),
      row('Nothing', 'put, 10 tasks', 'ms', 1),
    ),
    suite('cold', row('New', 'tick: package', 'KiB', 541), row('New', 'tick: import', 'ms', 50, 60)),
  ],
};

describe('the block of a run', () => {
  const lines = readmeBlock(data).split('\n');

  test('has a row for each line, with ratios by round, and says what was not measured', () => {
    const unmeasured = (what: string, peer: string) => `| ${what} | not measured | ${peer} | – | – |`;
    const nothing = (own: string, ms: string) => `| nothing due: ${own} | ${ms} ms (${ms} to ${ms}) |`;
    expect(lines.filter((line) => line.startsWith('|')).slice(2)).toEqual([
      '| 10 due | 200 launches/s (100 to 300) | BullMQ, in process | 150 launches/s | × 2.00 (0.500 to 2.00) |',
      '| 10 due | 200 launches/s (100 to 300) | BullMQ, sandbox threads | not installed | – |',
      '| 10 due | 200 launches/s (100 to 300) | BullMQ, fsync always | not measured | – |',
      '| 10 tasks | 4.00 tasks/s (4.00 to 4.00) | BullMQ | 2.00 tasks/s | × 2.00 (2.00 to 2.00) |',
      '| 10 tasks | 4.00 tasks/s (4.00 to 4.00) | BullMQ, fsync always | not measured | – |',
      unmeasured('repeat, start p99', 'BullMQ'),
      '| 1 task, processor time | 2.00 µs/launch (2.00 to 2.00) | BullMQ, CPU in all | 3.00 µs/launch | × 1.50 (1.50 to 1.50) |',
      unmeasured('oneshot, start p99', 'BullMQ'),
      unmeasured('oneshot, processor time', 'BullMQ'),
      `${nothing('tick, 10 tasks', '20.0')} tick, 0 tasks | 10.0 ms | × 0.500 (0.500 to 0.500) |`,
      `${nothing('tick, 20 tasks', '30.0')} tick, 0 tasks | 10.0 ms | × 0.333 (0.333 to 0.333) |`,
      `${nothing('put, 10 tasks', '1.00')} put, 0 tasks | not measured | – |`,
      unmeasured('The holder of a launch is killed', 'BullMQ'),
    ]);
  });

  test('says what nobody stands beside, on what machine it was, and when', () => {
    expect(lines).toContain('A new instance: tick: package 541 KiB (541 to 541), tick: import 55.0 ms (50.0 to 60.0).');
    expect(lines.at(-1)).toBe(
      'Measured 2026-03-08 on 2 × Model, 8 GiB, linux x64; Node 24.21.0, Java 17, ZooKeeper 3.8.0, BullMQ 5, Redis 7; ' +
        'load average 0.50 at the start.',
    );
    expect(lines.join('\n')).toContain('Medians of 3 rounds (least to most).');
    expect(readmeBlock({ ...data, quick: true })).toContain('QUICK: shows that it works, not how fast.');
  });

  test('takes the place of the one before, and of nothing else', () => {
    const page = 'a\n<!-- bench:begin -->\nold $1\n<!-- bench:end -->\nz';
    expect(withBlock(page, 'new $1')).toBe('a\n<!-- bench:begin -->\nnew $1\n<!-- bench:end -->\nz');
    expect(() => withBlock('a page', 'new')).toThrow('README.md has no <!-- bench:begin -->');
  });
});

/** What keeps a block from being a whole run: lines that are missing or added, cells without a number, no machine. */
function problemsOf(block: string): unknown[] {
  const rows = block
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.slice(1, -1).split('|'))
    .map(([what = '', ...rest]) => ({ what: what.trim(), cells: rest.map((cell) => cell.trim()) }));
  const isNumber = (cell = '') => /^(× )?[\d.,]+/.test(cell);
  const isOf = (line: Line, peer = '') => line.peer.test(peer);
  return [
    ...rows.filter(({ cells: [own, , peer, ratio] }) => ![own, peer, ratio].every(isNumber)),
    ...LINES.filter((line) => !rows.some(({ cells: [, peer] }) => isOf(line, peer))),
    ...rows.filter(({ cells: [, peer] }) => !LINES.some((line) => isOf(line, peer))),
    ...[/^A new instance: tick: package [\d.,]+ KiB/m, /^Measured .*Node .*Java .*ZooKeeper .*BullMQ .*Redis /m].filter(
      (pattern) => !pattern.test(block),
    ),
  ];
}

describe("the README's block", () => {
  test('is a whole run, as it was written; or says that there is none', () => {
    const block = blockOf(readFileSync(join(projectRoot, 'README.md'), 'utf8')) ?? '';
    expect(block === UNMEASURED ? [] : problemsOf(block)).toEqual([]);
  });

  test('would not pass with lines that are missing, without numbers or made by hand', () => {
    const lines = LINES.map(
      ({ peer: { source } }) => `| what | 1 | ${source.replaceAll(/[$^]|\.\*/g, '')} | 1 | × 1 |`,
    );
    const block = (rows: readonly string[]) =>
      [
        '|',
        '|',
        ...rows,
        'A new instance: tick: package 5 KiB',
        'Measured on Node 24, Java 17, ZooKeeper 3, BullMQ 6, Redis 7',
      ].join('\n');
    const missing = [...new Set(lines)].slice(1);
    expect(problemsOf(block(lines))).toEqual([]);
    expect(problemsOf(block(missing))).toHaveLength(1);
    expect(problemsOf(block([...lines, '| by hand | 9 | Quartz | 1 | × 9 |']))).toHaveLength(1);
    expect(problemsOf(block(lines.with(0, lines[0]?.replace('| 1 |', '| not measured |') ?? '')))).toHaveLength(1);
    expect(problemsOf(readmeBlock(data)).length).toBeGreaterThan(5);
  });
});
