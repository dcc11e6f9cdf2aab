/** Time zones: how far from UTC they are, and what they are called, by the host's own tables. */

const NAME_CHARS = 64;
/** Making one takes long, and each takes some memory. */
const FORMATTERS_MAX = 32;

const FIELDS = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  era: 'short',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
  hourCycle: 'h23',
} as const;

/** By zone and style, the one that was used last at the end. */
const formatters = new Map<string, Intl.DateTimeFormat>();

type Style = 'short' | 'long' | undefined;

/**
 * `[<epoch ms>, "<zone>", "<short|long>"?]`. The answer is `{ offsetMs, name? }` as JSON: how far the zone's clocks are
 * ahead of UTC, and, if a style is given, the zone's English name. Empty if there is no such zone.
 */
export function zoneAt(question: string): string | undefined {
  const [ms, zone, style]: unknown[] = JSON.parse(question);
  if (typeof ms !== 'number' || typeof zone !== 'string') return undefined;
  const formatter = formatterOf(zone, style === 'short' || style === 'long' ? style : undefined);
  if (formatter === undefined) return '';
  const parts = new Map(formatter.formatToParts(ms).map(({ type, value }) => [type, value]));
  return JSON.stringify({ offsetMs: shownAt(parts) - Math.floor(ms / 1000) * 1000, name: parts.get('timeZoneName') });
}

/** What the clocks show, as if it were UTC, to the second. */
function shownAt(parts: ReadonlyMap<string, string>): number {
  const of = (part: string): number => Number(parts.get(part));
  const year = parts.get('era')?.startsWith('B') ? 1 - of('year') : of('year');
  const shown = new Date(0);
  shown.setUTCFullYear(year, of('month') - 1, of('day'));
  return shown.setUTCHours(of('hour'), of('minute'), of('second'));
}

function formatterOf(zone: string, style: Style): Intl.DateTimeFormat | undefined {
  if (zone.length > NAME_CHARS) return undefined;
  const key = `${zone}/${style}`;
  const formatter = formatters.get(key) ?? create(zone, style);
  if (formatter === undefined) return undefined;
  formatters.delete(key);
  formatters.set(key, formatter);
  const [oldest] = formatters.keys();
  if (formatters.size > FORMATTERS_MAX && oldest !== undefined) formatters.delete(oldest);
  return formatter;
}

function create(timeZone: string, style: Style): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone, ...(style && { timeZoneName: style }) });
  } catch {
    return undefined;
  }
}
