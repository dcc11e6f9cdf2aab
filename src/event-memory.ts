/**
 * The events that a task has been launched for lately: a queue or a bus may deliver an event again, up to a day later.
 * Kept in the task's record, so as short as can be: `<hash of the event's id>-<slot of its launch>`. Pure.
 */
import { createHash } from 'node:crypto';
import type { EpochMs } from './clock.ts';

/** How long an event is remembered: as long as EventBridge tries to deliver one. */
export const REMEMBERED_MS = 24 * 3_600_000;

/** Events of a task that are remembered; the oldest go first. About 24 bytes of its record each. */
export const REMEMBERED_MAX = 1_000;

/** Characters of a hash, 6 bits each: among a thousand events, two are taken for one in less than 1 of 10^15 cases. */
const HASH_LENGTH = 12;

export type Remembered = readonly string[];

/** Base 36, so that its end tells nothing of its beginning: the hash may hold a hyphen, the slot none. */
const entryOf = (eventId: string, slotMs: EpochMs): string => `${hashOf(eventId)}-${slotMs.toString(36)}`;

const hashOf = (eventId: string): string =>
  createHash('sha256').update(eventId).digest('base64url').slice(0, HASH_LENGTH);

/** NaN for what is no entry. */
const slotOf = (entry: string): EpochMs => Number.parseInt(entry.slice(HASH_LENGTH + 1), 36);

/** The slot of the launch that an event became, if it is remembered. */
export function rememberedSlot(remembered: Remembered, eventId: string): EpochMs | undefined {
  const start = `${hashOf(eventId)}-`;
  const entry = remembered.find((each) => each.startsWith(start));
  return entry === undefined ? undefined : slotOf(entry);
}

/** Oldest first. */
export const rememberedSlots = (remembered: Remembered): EpochMs[] =>
  remembered.map(slotOf).filter(Number.isSafeInteger);

export const remember = (remembered: Remembered, eventId: string, slotMs: EpochMs, nowMs: EpochMs): Remembered =>
  [...remembered.filter((entry) => slotOf(entry) > nowMs - REMEMBERED_MS), entryOf(eventId, slotMs)].slice(
    -REMEMBERED_MAX,
  );
