/**
 * Cron: five fields, or six with seconds first. croner finds the times; this layer closes what it leaves open: bounds,
 * one dialect, expressions that never fire, and a second rule for daylight saving.
 *
 * | the job's local time          | job      | `vixie` (default)     | `skip`               |
 * |-------------------------------|----------|-----------------------|----------------------|
 * | is missing (clock set forward)| fixed    | once, at the change   | not that day         |
 * | is missing                    | interval | not at that time      | not at that time     |
 * | comes twice (clock set back)  | fixed    | once, the first time  | once, the first time |
 * | comes twice                   | interval | both times            | once, the first time |
 *
 * *Fixed* means that seconds, minutes and hours are numbers, lists and ranges; an *interval* job has a `*` or a step in
 * one of them. `vixie` is what Vixie cron and cronie do: a nightly job runs exactly once every night, an hourly one
 * every hour. A fixed job moves only within its own day, so a whole day that is left out (Samoa, 2011) takes its jobs
 * with it. `skip` is the rule of EventBridge Scheduler: every date and time on the wall is one launch, or none. Hence
 * an interval job is silent while the clock repeats itself; `vixie` or `every` keep its rhythm.
 *
 * Day of month and day of week: when neither is `*`, either may match (Vixie cron).
 */
import { Cron } from 'croner';
import type { EpochMs } from '../clock.ts';
import { CronkeeperError, received } from '../errors.ts';
import { INSTANT_MAX_MS } from '../instant.ts';
import { recent } from './recent.ts';
import { canonicalZone, highestWallUntil, locate, wallOf } from './zone.ts';

export const DST_RULES = ['vixie', 'skip'] as const;
/** What happens to local times that do not exist, or exist twice; see the table above. */
export type DstRule = (typeof DST_RULES)[number];

export interface CronRule {
  /** As {@link parseCronExpression} returned it. */
  readonly expression: string;
  /** A name of the tz database. */
  readonly timeZone: string;
  readonly dst: DstRule;
}

/** The first match strictly later, in epoch ms (or wall ms); undefined when there is none. */
type Next = (afterMs: number) => number | undefined;

export const EXPRESSION_LENGTH_MAX = 256;

const MACROS: readonly string[] = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
/** Compiled expressions kept, for wall time and for zones each. croner needs about 75 KB for one: 20 MB at most. */
const COMPILED_MAX = 128;
/** Matches in a row that may fall into missing local times before a rule counts as one that never fires. */
const MISSING_MAX = 50;
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

const naive = recent<Next>(COMPILED_MAX);
const zoned = recent<Next>(COMPILED_MAX);

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
  return zoned.get(`${rule.dst} ${rule.timeZone} ${rule.expression}`, () => {
    // Wall time first: croner needs 40 ms in a zone, and 4 ms without, to learn that there is no such date.
    const nextWall = nextWallOf(rule.expression);
    const next = compile(rule, nextWall);
    if (nextWall(FIRST_MATCH_AFTER_MS) !== undefined && next(FIRST_MATCH_AFTER_MS) !== undefined) return next;
    throw refused(rule.expression, 'an expression that fires; this one never does');
  });
}

function compile({ expression, timeZone, dst }: CronRule, nextWall: Next): Next {
  const zone = canonicalZone(timeZone);
  if (zone === 'UTC') return nextWall;
  return dst === 'skip' ? skipping(nextWall, zone) : stepper(expression, { timezone: zone });
}

/** Matches on a clock that is never changed: wall time, or UTC. An offset of 0 spares croner the calls to Intl. */
const nextWallOf = (expression: string): Next => naive.get(expression, () => stepper(expression, { utcOffset: 0 }));

/** `paused` and no function: croner is asked for times only, and never starts a timer. */
function stepper(expression: string, clock: { readonly timezone: string } | { readonly utcOffset: number }): Next {
  const options = { paused: true, fixedTimeRule: 'no-wildcard', mode: '5-or-6-parts', ...clock } as const;
  const cron = new Cron(spellOutSteps(expression), options);
  return (afterMs) => cron.nextRun(new Date(afterMs))?.getTime();
}

/**
 * The `skip` rule: a wall time fires when the wall clock first shows it. So the search runs on wall time, from the
 * highest one shown so far, and leaps over what the clock leaps over.
 */
function skipping(nextWall: Next, zone: string): Next {
  return (afterMs) => {
    let wallMs = highestWallUntil(zone, afterMs);
    for (let missing = 0; missing < MISSING_MAX; missing++) {
      const matchMs = nextWall(wallMs);
      if (matchMs === undefined) return undefined;
      const located = locate(zone, matchMs);
      if (located.kind !== 'skipped') return located.firstMs;
      wallMs = wallOf(zone, located.changeMs) - 1;
    }
    return undefined;
  };
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
      stepper(fields.map((_, other) => (other === index ? field : '*')).join(' '), { utcOffset: 0 });
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
