/**
 * The README's table of measurements, from what `--json` prints. Pure: `main.ts` writes the file. A line that was not
 * measured stays in the table, and says why: what is missing should be seen.
 */
import type { Machine } from './machine.ts';
import { ratiosByRound, summarize } from './measure.ts';
import type { Unit } from './suite.ts';
import { format, isRate, type ReportData, type RowData } from './table.ts';

/** What one run of `npm run bench` comes to, as data. */
export interface BenchData {
  /** ISO 8601, when it began. */
  readonly measuredAt: string;
  readonly rounds: number;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly suites: readonly ReportData[];
}

/** Rows of one suite that stand in the table: of the first of its sections that has such, each beside the peer's. */
export interface Line {
  readonly suite: string;
  readonly own: RegExp;
  readonly peer: RegExp;
  /** What both do: after the section's title, or in its place. */
  readonly what: (section: string, own: string) => string;
  /** What the table says of it where there is none. */
  readonly absent: readonly [what: string, peer: string];
}

const whole = (section: string): string => section;
const drained = { suite: 'drain', own: /^Cronkeeper$/, what: whole };
const stored = { suite: 'put', own: /^Cronkeeper$/, what: whole };
const idle = { suite: 'idle', what: (_: string, own: string) => `nothing due: ${own}` };

/** In the order of the table. */
export const LINES: readonly Line[] = [
  { ...drained, peer: /^BullMQ, in process$/, absent: ['launches that are due', 'BullMQ, in process'] },
  { ...drained, peer: /^BullMQ, sandbox threads$/, absent: ['launches that are due', 'BullMQ, sandbox threads'] },
  { ...drained, peer: /^BullMQ, in process, fsync always$/, absent: ['launches that are due', 'BullMQ, fsync always'] },
  { ...stored, peer: /^BullMQ$/, absent: ['tasks by one call', 'BullMQ'] },
  { ...stored, peer: /^BullMQ, fsync always$/, absent: ['tasks by one call', 'BullMQ, fsync always'] },
  ...['repeat', 'oneshot'].flatMap((suite): Line[] => [
    punctual(suite, ', start p99', 'p99'),
    punctual(suite, ', processor time', 'CPU in all'),
  ]),
  { ...idle, own: /^tick, [1-9]/, peer: /^tick, 0 tasks$/, absent: ['tick, nothing due', 'tick, 0 tasks'] },
  { ...idle, own: /^put, [1-9]/, peer: /^put, 0 tasks$/, absent: ['put', 'put, 0 tasks'] },
  {
    suite: 'failover',
    own: /^begins again, session of/,
    peer: /^BullMQ begins again/,
    what: (section, own) => `${section}: ${own}`,
    absent: ['The holder of a launch is killed', 'BullMQ'],
  },
];

function punctual(suite: string, what: string, end: string): Line {
  return {
    suite,
    ...{ own: new RegExp(`^Cronkeeper.* ${end}$`), peer: new RegExp(`^BullMQ.* ${end}$`) },
    ...{ what: (section) => `${section}${what}`, absent: [`${suite}${what}`, 'BullMQ'] },
  };
}

const BLOCK = /(<!-- bench:begin -->\n)[\s\S]*?(\n<!-- bench:end -->)/;

/** What stands in the place of the table until somebody measures. */
export const UNMEASURED = 'The command above measures, and writes its table here. No run stands here yet.';

const HEAD = ['| what | Cronkeeper | beside it | its median | times as fast |', '|---|---|---|---|---|'];

/** @throws Error when the page has no place for it. */
export function withBlock(page: string, block: string): string {
  if (!BLOCK.test(page)) throw new Error('README.md has no <!-- bench:begin --> and <!-- bench:end -->');
  return page.replace(BLOCK, (_, begin, end) => begin + block + end);
}

export const blockOf = (page: string): string | undefined =>
  /<!-- bench:begin -->\n([\s\S]*?)\n<!-- bench:end -->/.exec(page)?.[1];

export function readmeBlock({ suites, machine, rounds, measuredAt, quick }: BenchData): string {
  const rows = LINES.flatMap((line) => tableRows(line, suites));
  const { cpus, cpuModel, memoryGiB, platform, node, software, loadAverage } = machine;
  const how = quick ? 'QUICK: shows that it works, not how fast.' : `Medians of ${rounds} rounds (least to most).`;
  return [
    ...[...HEAD, ...rows, '', coldLine(suites), ''],
    `${how} Ratios are taken within each round; above 1, Cronkeeper is faster, or needs less. ${COMPARED}`,
    '',
    `Measured ${measuredAt.slice(0, 10)} on ${cpus} × ${cpuModel}, ${memoryGiB} GiB, ${platform}; ` +
      `${[`Node ${node}`, ...software].join(', ')}; load average ${loadAverage.toFixed(2)} at the start.`,
  ].join('\n');
}

const COMPARED =
  'A launch of ours runs in a sandbox of its own, is journaled before it starts, fenced, recorded with its next slot, and ' +
  'synced to disk. A job of BullMQ is a function of the program without isolation, or a file in threads that keep their ' +
  'state; it is deleted when done, and Redis syncs once a second unless `fsync always` is said. Clients, servers and ' +
  'load share the machine.';

function tableRows(line: Line, suites: readonly ReportData[]): string[] {
  const rows = suites.find(({ suite }) => suite === line.suite)?.rows ?? [];
  const section = rows.find(({ name }) => line.own.test(name))?.section;
  const inSection = rows.filter((row) => row.section === section);
  const peer = inSection.find(({ name }) => line.peer.test(name));
  const own = inSection.filter(({ name }) => line.own.test(name));
  const [absent, absentPeer] = line.absent;
  if (own.length === 0) return [cells(absent, absentText(undefined), absentPeer, '–', '–')];
  return own.map((row) => {
    const theirs = peer === undefined || !('values' in peer) ? absentText(peer) : amount(peer.median, peer.unit);
    return cells(
      line.what(row.section, row.name),
      spreadText(row),
      peer?.name ?? absentPeer,
      theirs,
      ratioText(row, peer),
    );
  });
}

const cells = (...texts: readonly string[]): string => `| ${texts.join(' | ')} |`;

const amount = (value: number, unit: Unit): string => `${format(value)} ${unit}`;

const absentText = (row: RowData | undefined): string => (row && 'absent' in row ? row.absent : 'not measured');

function spreadText(row: RowData): string {
  if (!('values' in row)) return absentText(row);
  return `${amount(row.median, row.unit)} (${format(row.low)} to ${format(row.high)})`;
}

function ratioText(own: RowData, peer: RowData | undefined): string {
  if (peer === undefined || !('values' in own && 'values' in peer)) return '–';
  const ratios = ratiosByRound(own.values, peer.values, isRate(own.unit));
  if (ratios.length === 0) return '–';
  const { median, low, high } = summarize(ratios);
  return `× ${format(median)} (${format(low)} to ${format(high)})`;
}

/** What has nobody beside it: a new instance of the packaged functions. */
function coldLine(suites: readonly ReportData[]): string {
  const rows = suites.find(({ suite }) => suite === 'cold')?.rows ?? [];
  const texts = rows.map((row) => `${row.name} ${spreadText(row)}`);
  return `A new instance: ${texts.length === 0 ? absentText(undefined) : texts.join(', ')}.`;
}
