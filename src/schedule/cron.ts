/**
 * Cron: five fields, or six with seconds first, or a macro. croner knows the calendar: which wall times match. This
 * layer closes what it leaves open: bounds, one dialect, expressions that never fire; and `dst.ts` does the clocks.
 *
 * Day of month and day of week: when neither is a bare `*`, either may match, as in Vixie cron.
 */
import { Cron } from 'croner';
import type { EpochMs } from '../clock.ts';
import { CronkeeperError, received } from '../errors.ts';
import { INSTANT_MAX_MS } from '../instant.ts';
import { type DstRule, inZone, type Next } from './dst.ts';
import { recent } from './recent.ts';
import { canonicalZone } from './zone.ts';

export interface CronRule {
  /** As {@link parseCronExpression} returned it. */
  readonly expression: string;
  /** A name of the tz database. */
  readonly timeZone: string;
  readonly dst: DstRule;
}

export const EXPRESSION_LENGTH_MAX = 256;

const MACROS: readonly string[] = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
/** Expressions and rules kept. croner needs about 75 KB for an expression: 20 MB at most, if the two do not overlap. */
const COMPILED_MAX = 128;
/** Where the search for a first match begins: a constant, so that the verdict does not depend on the day. */
const FIRST_MATCH_AFTER_MS: EpochMs = Date.UTC(2026, 0, 1);

/** `last` is where a step without an end goes: `5/15` is `5-59/15`, and `MON/2` leaves Sunday (7) out. */
const FIELDS = [
  { name: 'second', last: 59, allowed: '0-59' },
  { name: 'minute', last: 59, allowed: '0-59' },
  { name: 'hour', last: 23, allowed: '0-23' },
  { name: 'day of month', last: 31, allowed: '1-31, L, LW, 15W' },
  { name: 'month', last: 12, allowed: '1-12 or JAN-DEC' },
  { name: 'day of week', last: 6, allowed: '0-7 or SUN-SAT, 5L, 5#3' },
] as const;

const ALLOWED = `5 fields (minute hour day-of-month month day-of-week), 6 with seconds first, or ${MACROS.join(' ')}`;

const calendars = recent<Next>(COMPILED_MAX);
const rules = recent<Next>(COMPILED_MAX);

/**
 * Checks an expression, and returns it with single spaces. Fields hold numbers, names (`JAN`, `MON`), `*`, `?` (the
 * same), lists, ranges, steps (`5/15` counts to the end of the field), and croner's `L`, `W` and `#`.
 *
 * @throws CronkeeperError `invalid`: not such an expression, or longer than 256 characters.
 */
export function parseCronExpression(text: unknown): string {
  if (typeof text !== 'string') throw refused(text, ALLOWED);
  if (text.length > EXPRESSION_LENGTH_MAX) throw refused(text, `at most ${EXPRESSION_LENGTH_MAX} characters`);
  // Spaces and tabs part fields. A line break does not: it is more likely the second line of a crontab.
  const fields = text.split(/[ \t]+/).filter((field) => field !== '');
  const expression = fields.join(' ');
  if (MACROS.includes(expression.toLowerCase())) return expression.toLowerCase();
  if (!/^[A-Za-z0-9*?,/# -]*$/.test(expression)) throw refused(text, `${ALLOWED}; of letters, digits and * ? , - / #`);
  if (fields.length !== 5 && fields.length !== 6) throw refused(text, `${ALLOWED}; these are ${fields.length} fields`);
  try {
    nextWallOf(expression);
  } catch (cause) {
    throw refused(text, wrongField(fields) ?? ALLOWED, cause);
  }
  return expression;
}

/**
 * Refuses an expression that can never fire, such as 30 February.
 *
 * @throws CronkeeperError `invalid`.
 */
export function requireFires(rule: CronRule): void {
  nextOf(rule);
}

/**
 * The first slot strictly later than `afterMs`, up to the end of the year 9999.
 *
 * @throws CronkeeperError `invalid` for a rule that the functions above would have refused.
 */
export function nextCronSlot(rule: CronRule, afterMs: EpochMs): EpochMs | undefined {
  const slotMs = nextOf(rule)(afterMs);
  return slotMs !== undefined && slotMs <= INSTANT_MAX_MS ? slotMs : undefined;
}

function nextOf(rule: CronRule): Next {
  return rules.get(`${rule.dst} ${rule.timeZone} ${rule.expression}`, () => {
    const next = compile(rule);
    if (next(FIRST_MATCH_AFTER_MS) !== undefined) return next;
    throw refused(rule.expression, 'an expression that fires; this one never does');
  });
}

function compile({ expression, timeZone, dst }: CronRule): Next {
  const zone = canonicalZone(timeZone);
  const nextWall = nextWallOf(expression);
  return zone === 'UTC' ? nextWall : inZone(nextWall, zone, dst, isFixed(expression));
}

const nextWallOf = (expression: string): Next => calendars.get(expression, () => calendarOf(expression));

/**
 * Matches on a clock that is never changed. A fixed offset spares croner the calls to Intl and makes it twenty times
 * as fast; `paused` and no function: it is asked for times only, and never starts a timer.
 */
function calendarOf(expression: string): Next {
  const cron = new Cron(spellOutSteps(expression), { paused: true, mode: '5-or-6-parts', utcOffset: 0 });
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
}

/** No wildcard and no step in seconds, minutes and hours: see `dst.ts`. */
function isFixed(expression: string): boolean {
  const fields = expression.split(' ');
  return expression !== '@hourly' && !fields.slice(0, fields.length - 3).some((field) => /[*?/]/.test(field));
}

/** `5/15` becomes `5-59/15`: croner refuses the short form, or else would take `/15` too. */
function spellOutSteps(expression: string): string {
  const fields = expression.split(' ');
  const start = /(?<![^,])([A-Za-z]{3}|\d+)(?=\/)/g;
  return fields.map((field, index) => field.replace(start, `$1-${fieldAt(index, fields)?.last}`)).join(' ');
}

/** Names the first field that is wrong by itself, in our words: croner's count months from 0. */
function wrongField(fields: readonly string[]): string | undefined {
  for (const [index, field] of fields.entries()) {
    try {
      calendarOf(fields.map((_, other) => (other === index ? field : '*')).join(' '));
    } catch {
      const { name, allowed } = fieldAt(index, fields) ?? FIELDS[0];
      return `${allowed} and * , - / as the ${name}, not ${received(field)}`;
    }
  }
  return undefined;
}

/** With five fields, the seconds are left out. */
const fieldAt = (index: number, fields: readonly string[]) => FIELDS[index + FIELDS.length - fields.length];

const refused = (text: unknown, allowed: string, cause?: unknown): CronkeeperError =>
  new CronkeeperError('invalid', `received ${received(text)}; allowed: ${allowed}`, { cause });
