/** A report as a table for people, and as data for programs. Pure. */
import { type Column, formatTable } from '../src/cli/table.ts';
import { ratiosByRound, type Summary, summarize, timesAsFast } from './measure.ts';
import type { Comparison, Report, Results, Row, Section, Unit } from './suite.ts';

export function formatReport(report: Report): string {
  const tables = report.sections.map((section) =>
    [formatTable(columnsOf(section, report), rowsOf(section)), ...comparisonLines(section, report.results)].join('\n'),
  );
  return [...tables, report.notes.join('\n')].join('\n\n');
}

/** A ratio of each round; absent where one of the two was not measured. */
export interface Ratio extends Summary {
  readonly comparison: Comparison;
}

export const ratiosOf = ({ comparisons = [] }: Section, results: Results): Ratio[] =>
  comparisons.flatMap((comparison) => {
    const { own, peer } = comparison;
    const [ours, theirs] = [results.get(own), results.get(peer)];
    if (!Array.isArray(ours) || !Array.isArray(theirs)) return [];
    const ratios = ratiosByRound(ours, theirs, isRate(own.unit));
    return ratios.length === 0 ? [] : [{ comparison, ...summarize(ratios) }];
  });

const comparisonLines = (section: Section, results: Results): string[] =>
  ratiosOf(section, results).map(
    ({ comparison: { what, own, peer }, median, low, high }) =>
      `× ${format(median)} (${format(low)} to ${format(high)})  ${what}: ${own.name} : ${peer.name}`,
  );

/** More of a rate is better, less of anything else. */
export const isRate = (unit: Unit): boolean => unit.endsWith('/s');

const rowsOf = ({ probes }: Section): Row[] => probes.flatMap(({ rows }) => rows);

/** So that the tables of a report stand below each other. */
const WIDTHS = { name: 44, median: 8, range: 20, unit: 6 };

function columnsOf(section: Section, { results, peer }: Report): Column<Row>[] {
  const comparison: Column<Row> = {
    title: `× ${peer}`,
    text: (row) => comparisonText(row, results),
    align: 'right',
  };
  return [
    { title: section.title.padEnd(WIDTHS.name), text: ({ name }) => name },
    { title: 'median'.padStart(WIDTHS.median), text: (row) => medianText(results.get(row)), align: 'right' },
    { title: 'low to high'.padStart(WIDTHS.range), text: (row) => rangeText(results.get(row)), align: 'right' },
    { title: 'unit'.padEnd(WIDTHS.unit), text: ({ unit }) => unit },
    ...(rowsOf(section).some((row) => row.peer !== undefined) ? [comparison] : []),
  ];
}

function medianText(values: readonly number[] | string | undefined): string {
  return Array.isArray(values) ? format(summarize(values).median) : '–';
}

function rangeText(values: readonly number[] | string | undefined): string {
  if (!Array.isArray(values)) return typeof values === 'string' ? values : '';
  const { low, high } = summarize(values);
  return `${format(low)} to ${format(high)}`;
}

function comparisonText(row: Row, results: Results): string {
  const times = comparison(row, results);
  return times === undefined ? '' : format(times);
}

function comparison(row: Row, results: Results): number | undefined {
  const own = results.get(row);
  const peers = row.peer === undefined ? undefined : results.get(row.peer);
  return Array.isArray(own) && Array.isArray(peers) ? timesAsFast(own, peers, isRate(row.unit)) : undefined;
}

/** Three digits, or all before the point. */
export function format(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A row as data, with the number of every round, or why there is none. */
export type RowData = { readonly section: string; readonly name: string; readonly unit: Unit } & (
  | (Summary & { readonly values: readonly number[] })
  | { readonly absent: string }
);

export interface ReportData {
  readonly suite: string;
  readonly peer: string;
  readonly rows: readonly RowData[];
  readonly comparisons: readonly object[];
  readonly notes: readonly string[];
}

/** The same as data. */
export const reportAsJson = ({ suite, peer, sections, results, notes }: Report): ReportData => ({
  suite,
  peer,
  rows: sections.flatMap((section) =>
    rowsOf(section).map((row) => {
      const values = results.get(row);
      const times = comparison(row, results);
      return {
        section: section.title,
        name: row.name,
        unit: row.unit,
        ...(typeof values === 'object' ? { ...summarize(values), values } : { absent: values ?? 'not measured' }),
        ...(times !== undefined && { timesAsFastAsPeer: times }),
      };
    }),
  ),
  comparisons: sections.flatMap((section) =>
    ratiosOf(section, results).map(({ comparison: { what, own, peer: theirs }, ...ratio }) => ({
      ...{ section: section.title, what, own: own.name, peer: theirs.name },
      ...ratio,
    })),
  ),
  notes,
});
