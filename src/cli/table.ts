/** Tables for people: aligned columns that fit the width. Pure. */

/** Columns of text that a table takes at most, whatever the terminal: it can be read, pasted and mailed. */
export const WIDTH_MAX = 100;

const GAP = '  ';
/** A column is not squeezed below this. */
const COLUMN_WIDTH_MIN = 8;

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Colours a cell that is laid out already; it must not change its width. */
  readonly paint?: (cell: string, row: Row) => string;
}

/** A header and a line per row. Cells that do not fit are cut, the widest column first. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const texts = rows.map((row) => columns.map(({ text }) => oneLine(text(row))));
  const natural = columns.map(({ title }, i) =>
    Math.max(title.length, ...texts.map((cells) => widthOf(cells[i] ?? ''))),
  );
  const widths = squeeze(natural, WIDTH_MAX - GAP.length * (columns.length - 1));
  const line = (cells: readonly string[], paint: (cell: string, i: number) => string) =>
    cells
      .map((cell, i) => paint(pad(cut(cell, widths[i] ?? 0), widths[i] ?? 0, columns[i]?.align), i))
      .join(GAP)
      .trimEnd();
  const header = line(
    columns.map(({ title }) => title),
    (cell) => cell,
  );
  const body = rows.map((row, r) => line(texts[r] ?? [], (cell, i) => columns[i]?.paint?.(cell, row) ?? cell));
  return [header, ...body].join('\n');
}

/** Takes from the widest column until all fit; columns stay readable even if that is too wide. */
function squeeze(natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  for (let excess = sum(widths) - available; excess > 0; excess--) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= COLUMN_WIDTH_MIN) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Text of one line without control characters: what a task wrote must not steer the terminal. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();

const charactersOf = (text: string): string[] => Array.from(text);
const widthOf = (text: string): number => charactersOf(text).length;

export function cut(text: string, width: number): string {
  const characters = charactersOf(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + fill : fill + text;
}
