/** Instants as people write them: ISO 8601 with a date, a time and an offset. Pure. */
import type { EpochMs } from './clock.ts';
import { CronkeeperError, received } from './errors.ts';
import { remembered } from './remembered.ts';

/** The last instant that a schedule may name: the end of the year 9999, UTC. The first one is the Unix epoch. */
export const INSTANT_MAX_MS: EpochMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const MINUTE_MS = 60_000;
const ALLOWED = 'an ISO 8601 instant with Z or an offset, such as 2026-03-08T02:30:00Z or 2026-03-08T02:30:00+01:00';

const ISO_INSTANT =
  /^(?<local>(?<date>\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?:Z|(?<sign>[+-])(?<hours>\d{2}):(?<minutes>\d{2}))?$/;

/**
 * Reads an ISO 8601 instant. Seconds and milliseconds may be left out; the offset may not, because a local time names
 * no instant.
 *
 * @throws CronkeeperError `invalid`: not text, no offset, no such date, or outside 1970 … 9999.
 */
export function parseInstant(text: unknown): EpochMs {
  const parts = typeof text === 'string' ? ISO_INSTANT.exec(text)?.groups : undefined;
  const { local, date, sign, hours, minutes } = parts ?? {};
  if (local === undefined || date === undefined) throw refused(text, ALLOWED);
  if (sign === undefined && !String(text).endsWith('Z')) {
    throw refused(text, `${ALLOWED}; a local time without an offset names no instant`);
  }
  const wallMs = Date.parse(`${local}Z`);
  // Date.parse rolls 31 February over into March; what comes back must be the date that went in.
  if (Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(date)) {
    throw refused(text, 'a date and a time that exist');
  }
  if (Number(hours ?? 0) > 23 || Number(minutes ?? 0) > 59) throw refused(text, 'an offset of at most 23:59');
  const offsetMs = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE_MS;
  const instantMs = wallMs - (sign === '-' ? -offsetMs : offsetMs);
  if (instantMs < 0 || instantMs > INSTANT_MAX_MS) throw refused(text, 'an instant in the years 1970 to 9999, UTC');
  return instantMs;
}

/** The instant in UTC, always with milliseconds: `2026-03-08T02:30:00.000Z`. */
export const formatInstant = remembered((instantMs: EpochMs): string => new Date(instantMs).toISOString());

const refused = (text: unknown, allowed: string): CronkeeperError =>
  new CronkeeperError('invalid', `received ${received(text)}; allowed: ${allowed}`);
