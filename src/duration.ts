/** Durations as people write them: `500ms`, `30s`, `1h30m`, `1.5h`. Pure. */
import { CronkeeperError, received } from './errors.ts';
import { remembered } from './remembered.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** Ten years of 365.25 days. */
export const DURATION_MAX_MS = 3_652.5 * DAY_MS;

/** Every unit has a fixed length: a day is 24 hours, whatever the local clocks do. Largest first. */
const UNITS: readonly (readonly [unit: string, unitMs: number])[] = [
  ['w', WEEK_MS],
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
];

/** One amount for each unit, largest first. Digits are few enough for every product below to be an exact integer. */
const DURATION = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d{1,12})(?:\\.(\\d{1,6}))?${unit})?`).join('')}$`);
const ALLOWED =
  'numbers with a unit (w d h m s ms), largest first, whole milliseconds, at most 10 years; such as 500ms, 30s, 1h30m or 1.5h';

/**
 * Reads a duration, in milliseconds: one amount per unit, largest unit first, nothing between them. Decimals are
 * allowed when the result is a whole number of milliseconds. `0s` is a duration; a number without a unit is not.
 *
 * @throws CronkeeperError `invalid`: not text, no unit, a fraction of a millisecond, or more than {@link DURATION_MAX_MS}.
 */
export function parseDuration(text: unknown): number {
  const amounts = typeof text === 'string' && text !== '' ? DURATION.exec(text)?.slice(1) : undefined;
  if (amounts === undefined) throw refused(text);
  let totalMs = 0;
  for (const [index, [, unitMs]] of UNITS.entries()) {
    const [whole = '0', decimals = ''] = [amounts[2 * index], amounts[2 * index + 1]];
    const scale = 10 ** decimals.length;
    const fractionMs = (Number(decimals) * unitMs) / scale;
    if (!Number.isInteger(fractionMs)) throw refused(text);
    totalMs += Number(whole) * unitMs + fractionMs;
  }
  if (totalMs > DURATION_MAX_MS) throw refused(text);
  return totalMs;
}

/**
 * Writes a duration exactly, largest units first and no zero parts: `1h30m`, `10d`, `0s`. Weeks only when they are whole
 * ones, because `10d` says more than `1w3d`. {@link parseDuration} reads it back.
 *
 * @param durationMs whole milliseconds, 0 to {@link DURATION_MAX_MS}.
 * @throws CronkeeperError `invalid` for anything else.
 */
export const formatDuration = remembered((durationMs: number): string => {
  if (!Number.isInteger(durationMs) || durationMs < 0 || durationMs > DURATION_MAX_MS) {
    throw new CronkeeperError(
      'invalid',
      `received ${received(durationMs)}; allowed: whole milliseconds from 0 to ${DURATION_MAX_MS}`,
    );
  }
  if (durationMs === 0) return '0s';
  let text = '';
  let restMs = durationMs;
  for (const [unit, unitMs] of UNITS) {
    if (unitMs === WEEK_MS && restMs % WEEK_MS !== 0) continue;
    const amount = Math.floor(restMs / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * unitMs;
  }
  return text;
});

const refused = (text: unknown): CronkeeperError =>
  new CronkeeperError('invalid', `received ${received(text)}; allowed: ${ALLOWED}`);
