/**
 * Cron by brute force: looks at the wall clock of every minute, and asks whether it matches. Slow, simple, and written
 * without the code under test or any cron library; only `Intl` is shared. Five fields with numbers, `*`, lists, ranges
 * and steps.
 */
const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;

interface Minute {
  readonly instantMs: number;
  /** Minutes since the epoch at which a UTC clock would show this local time. */
  readonly wall: number;
}

/** What the zone's clock shows at every minute in [fromMs, toMs). */
export function minutesOf(zone: string, fromMs: number, toMs: number): readonly Minute[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  const minutes: Minute[] = [];
  for (let instantMs = fromMs; instantMs < toMs; instantMs += MINUTE_MS) {
    // Swedes write 2026-03-08 01:30.
    const wallMs = Date.parse(`${format.format(instantMs).replace(' ', 'T')}:00Z`);
    minutes.push({ instantMs, wall: wallMs / MINUTE_MS });
  }
  return minutes;
}

/** Every slot among these minutes, except that a time first shown before them is not known to be a repetition. */
export function modelSlots(expression: string, dst: 'vixie' | 'skip', minutes: readonly Minute[]): readonly number[] {
  const matches = matcher(expression);
  const [minuteField = '', hourField = ''] = expression.split(' ');
  const fixed = !/[*/]/.test(minuteField + hourField);
  const once = dst === 'skip' || fixed;
  const shown = new Set<number>();
  const slots: number[] = [];
  for (const [index, { instantMs, wall }] of minutes.entries()) {
    const before = minutes[index - 1]?.wall ?? wall - 1;
    const leftOut = wall - before - 1;
    const moved =
      dst === 'vixie' &&
      fixed &&
      leftOut <= 3 * HOUR_MINUTES &&
      Array.from({ length: Math.max(0, leftOut) }, (_, skipped) => before + 1 + skipped).some(matches);
    if (moved || (matches(wall) && !(once && shown.has(wall)))) slots.push(instantMs);
    shown.add(wall);
  }
  return slots;
}

function matcher(expression: string): (wall: number) => boolean {
  const [minute, hour, day, month, weekday] = expression.split(' ') as [string, string, string, string, string];
  const minutes = valuesOf(minute, 0, 59);
  const hours = valuesOf(hour, 0, 23);
  const days = valuesOf(day, 1, 31);
  const months = valuesOf(month, 1, 12);
  const weekdays = valuesOf(weekday, 0, 6);
  return (wall) => {
    const date = new Date(wall * MINUTE_MS);
    const onDay = days.has(date.getUTCDate());
    const onWeekday = weekdays.has(date.getUTCDay());
    const dayMatches = day === '*' || weekday === '*' ? onDay && onWeekday : onDay || onWeekday;
    return (
      minutes.has(date.getUTCMinutes()) &&
      hours.has(date.getUTCHours()) &&
      months.has(date.getUTCMonth() + 1) &&
      dayMatches
    );
  };
}

function valuesOf(field: string, first: number, last: number): ReadonlySet<number> {
  const values = new Set<number>();
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/');
    const [from, to] = range === '*' ? [first, last] : range.split('-').map(Number);
    for (let value = from ?? first; value <= (to ?? from ?? last); value += Number(step)) values.add(value);
  }
  return values;
}
