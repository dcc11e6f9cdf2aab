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

/**
 * `[<epoch ms>, "<zone>", "<short|long>"?]`. The answer is `{ offsetMs, name? }` as JSON: what the zone's clocks show
 * ahead of UTC, and, if a style is given, the zone's English name. Empty if there is no such zone or time.
 */
export function zoneAt(question: string): string | undefined {
  const [ms, zone, style]: unknown[] = JSON.parse(question);
  if (typeof ms !== 'number' || typeof zone !== 'string') return undefined;
  const formatter = formatterOf(zone, style === 'short' || style === 'long' ? style : undefined);
  if (formatter === undefined) return '';
  const parts = formatter.formatToParts(ms);
  const of = (type: Intl.DateTimeFormatPartTypes): string => parts.find((part) => part.type === type)?.value ?? '';
  const year = of('era').startsWith('B') ? 1 - Number(of('year')) : Number(of('year'));
  const local = new Date(0);
  local.setUTCFullYear(year, Number(of('month')) - 1, Number(of('day')));
  local.setUTCHours(Number(of('hour')), Number(of('minute')), Number(of('second')));
  const wholeSecondMs = Math.floor(ms / 1000) * 1000;
  return JSON.stringify({
    offsetMs: local.getTime() - wholeSecondMs,
    ...(style !== undefined && { name: of('timeZoneName') }),
  });
}

function formatterOf(zone: string, style: 'short' | 'long' | undefined): Intl.DateTimeFormat | undefined {
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

function create(timeZone: string, style: 'short' | 'long' | undefined): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone, ...(style && { timeZoneName: style }) });
  } catch {
    return undefined;
  }
}
