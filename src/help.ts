/** A call for help: a tick that is busy for a while tells which shards have work waiting that nobody holds. */
import type { Cancel, Clock, EpochMs } from './clock.ts';
import type { Share } from './share.ts';

/** What is done within this time is done sooner by one tick than by calling another. */
export const HELP_AFTER_MS = 1_000;

export interface Help {
  readonly clock: Clock;
  readonly now: () => EpochMs;
  readonly share: Share;
  /** Whether launches are due or on their way, and the tick goes on. */
  readonly isBusy: () => boolean;
  readonly onWaiting: ((shards: readonly number[]) => void) | undefined;
}

/** Once per tick, and only if shards may be free that it did not take. */
export function callForHelp({ clock, now, share, isBusy, onWaiting }: Help): Cancel {
  if (onWaiting === undefined || !share.isLimited) return () => undefined;
  const call = async () => {
    const waiting = isBusy() ? await share.waiting(now()) : [];
    if (waiting.length === 0 || !isBusy()) return;
    share.lend(waiting);
    onWaiting(waiting);
  };
  // Help is a matter of speed: where the coordinator fails, the tick does, and says so itself.
  return clock.after(HELP_AFTER_MS, () => void call().catch(() => undefined));
}
