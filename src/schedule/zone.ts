/**
 * Wall clocks: which local time an instant shows in a time zone, and which instants show a local time. Pure, from the
 * tz database that Node carries.
 *
 * A *wall time* is written as the epoch milliseconds at which a clock in UTC would show it. It is no instant: a zone's
 * clock may show it once, twice (set back) or never (set forward).
 */
import type { EpochMs } from '../clock.ts';
import { CronkeeperError, messageOf, received } from '../errors.ts';
import { recent } from './recent.ts';

/** Epoch milliseconds at which a UTC clock shows the same date and time. */
export type WallMs = number;

export type Located =
  /** Shown once; `firstMs` is when. */
  | { readonly kind: 'once'; readonly firstMs: EpochMs }
  /** Shown twice. The clock was set back at `changeMs`, after `firstMs` and no later than `secondMs`. */
  | { readonly kind: 'repeated'; readonly firstMs: EpochMs; readonly secondMs: EpochMs; readonly changeMs: EpochMs }
  /** Never shown: at `changeMs` the clock was set forward by `gapMs`, past it. */
  | { readonly kind: 'skipped'; readonly changeMs: EpochMs; readonly gapMs: number };

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** The longest name in the tz database has 32 characters. */
const ZONE_LENGTH_MAX = 64;
/** Zones kept; the formatter of each costs tens of kilobytes outside the heap. */
const ZONES_MAX = 64;

const canonicalNames = recent<string>(ZONES_MAX);
const formatters = recent<Intl.DateTimeFormat>(ZONES_MAX);

/**
 * The one name that Node uses for this zone and its aliases, in any case: caches keyed by it cannot be flooded with
 * spellings. `UTC` for everything that is UTC for ever.
 *
 * @throws CronkeeperError `invalid` for anything but a name of the tz database. Plain offsets such as `+02:00` are
 *   refused: they look like zones, and know nothing of daylight saving.
 */
export function canonicalZone(name: unknown): string {
  const allowed = 'an IANA time zone, such as UTC, Europe/Berlin or America/New_York';
  if (typeof name !== 'string' || name.length > ZONE_LENGTH_MAX || !/^[A-Za-z]/.test(name)) {
    throw new CronkeeperError('invalid', `received ${received(name)}; allowed: ${allowed}`);
  }
  try {
    return canonicalNames.get(
      name,
      () => new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone,
    );
  } catch (cause) {
    throw new CronkeeperError('invalid', `received ${received(name)} (${messageOf(cause)}); allowed: ${allowed}`, {
      cause,
    });
  }
}

/** What the zone's clock shows at this instant. `zone` is a {@link canonicalZone}. */
export function wallOf(zone: string, instantMs: EpochMs): WallMs {
  const formatter = formatters.get(
    zone,
    () =>
      new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      }),
  );
  // "3/8/2026, 03:30:00". Plain format costs a quarter of formatToParts.
  const [month, day, year, hour, minute, second] = formatter.format(instantMs).match(/\d+/g)?.map(Number) ?? [];
  const wallSecondMs = Date.UTC(year ?? Number.NaN, (month ?? Number.NaN) - 1, day, hour, minute, second);
  if (Number.isNaN(wallSecondMs)) {
    throw new CronkeeperError('internal', `no local time for ${received(instantMs)} in ${zone}`);
  }
  return wallSecondMs + modulo(instantMs, SECOND_MS);
}

/**
 * When the zone's clock shows a wall time. The offsets a day before and a day after are the only candidates, because
 * no zone changes its clock twice within two days (the same assumption as the reference polyfill of Temporal).
 */
export function locate(zone: string, wallMs: WallMs): Located {
  const offsetBeforeMs = offsetAt(zone, wallMs - DAY_MS);
  const offsetAfterMs = offsetAt(zone, wallMs + DAY_MS);
  const withBeforeMs = wallMs - offsetBeforeMs;
  const withAfterMs = wallMs - offsetAfterMs;
  if (offsetBeforeMs === offsetAfterMs) return { kind: 'once', firstMs: withBeforeMs };

  const shownBefore = wallOf(zone, withBeforeMs) === wallMs;
  const shownAfter = wallOf(zone, withAfterMs) === wallMs;
  if (shownBefore !== shownAfter) return { kind: 'once', firstMs: shownBefore ? withBeforeMs : withAfterMs };
  if (shownBefore) {
    const changeMs = changeWithin(zone, withBeforeMs, withAfterMs);
    return { kind: 'repeated', firstMs: withBeforeMs, secondMs: withAfterMs, changeMs };
  }
  const changeMs = changeWithin(zone, withAfterMs, withBeforeMs);
  return { kind: 'skipped', changeMs, gapMs: offsetAfterMs - offsetBeforeMs };
}

/**
 * The highest wall time that the zone's clock has shown up to and including this instant. It is the time shown now,
 * except in a repeated period: there the clock has been further on already.
 */
export function highestWallUntil(zone: string, instantMs: EpochMs): WallMs {
  const wallMs = wallOf(zone, instantMs);
  const located = locate(zone, wallMs);
  if (located.kind !== 'repeated' || instantMs < located.secondMs) return wallMs;
  return wallOf(zone, located.changeMs - 1);
}

const offsetAt = (zone: string, instantMs: EpochMs): number => wallOf(zone, instantMs) - instantMs;

/** The instant in (fromMs, toMs] from which the offset is no longer that of `fromMs`. Clocks change on whole seconds. */
function changeWithin(zone: string, fromMs: EpochMs, toMs: EpochMs): EpochMs {
  const offsetMs = offsetAt(zone, fromMs);
  let before = Math.floor(fromMs / SECOND_MS);
  let changed = Math.ceil(toMs / SECOND_MS);
  while (changed - before > 1) {
    const middle = Math.floor((before + changed) / 2);
    if (offsetAt(zone, middle * SECOND_MS) === offsetMs) before = middle;
    else changed = middle;
  }
  return changed * SECOND_MS;
}

const modulo = (value: number, divisor: number): number => ((value % divisor) + divisor) % divisor;
