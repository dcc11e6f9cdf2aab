/** What a tick did, in numbers: `due` = succeeded + failed + timedOut + skipped + uncertain + deferred. */
import type { Done, Settled } from './settle.ts';

export interface TickReport {
  /** Shards whose lease this tick had. 0: others hold all of them, and are at work. */
  readonly shards: number;
  /** Shards that others held when this tick began. */
  readonly leaseConflicts: number;
  /** Slots and retries that were due. */
  readonly due: number;
  readonly succeeded: number;
  /** Attempts that failed, whether they are tried again or not. */
  readonly failed: number;
  readonly timedOut: number;
  /** Slots that a policy passed over. */
  readonly skipped: number;
  /** Those of them that nobody was there for in time, and that the misfire policy passed over. */
  readonly missed: number;
  readonly uncertain: number;
  /** Left for the next tick: time was short, or a lease was lost. */
  readonly deferred: number;
  /** Shards in which it leaves due work behind, since its time was up: another tick would find something to do there. */
  readonly loadedShards: readonly number[];
  /** Shards whose lease was lost to a newer holder. */
  readonly fenced: number;
  /** Tasks that cannot run here, with the reason: an unreadable record, a timeout beyond the budget. At most 100. */
  readonly quarantined: readonly { readonly taskId: string; readonly problem: string }[];
  /** Messages to destinations that were delivered. */
  readonly delivered: number;
  /** … and that were given up. */
  readonly undelivered: number;
  /** Latest start of a launch of the schedule behind its slot, ms. */
  readonly maxLateMs: number;
  readonly durationMs: number;
  /** Local clock minus the coordinator's, ms. */
  readonly clockSkewMs: number;
}

const QUARANTINED_MAX = 100;

/** A report in the making. */
export class Tally {
  shards = 0;
  leaseConflicts = 0;
  succeeded = 0;
  failed = 0;
  timedOut = 0;
  skipped = 0;
  missed = 0;
  uncertain = 0;
  deferred = 0;
  fenced = 0;
  delivered = 0;
  undelivered = 0;
  maxLateMs = 0;
  clockSkewMs = 0;
  readonly #quarantined = new Map<string, string>();
  readonly #loaded = new Set<number>();

  count({ skipped }: Done, { run }: Settled): void {
    for (const range of skipped) {
      this.skipped += range.count;
      if (range.reason !== 'overlap') this.missed += range.count;
    }
    if (run === undefined) return;
    if (run.status === 'succeeded') this.succeeded++;
    else if (run.status === 'timed-out') this.timedOut++;
    else if (run.status === 'uncertain') this.uncertain++;
    else this.failed++;
    if (run.manual === undefined && run.attempt === 1)
      this.maxLateMs = Math.max(this.maxLateMs, run.startedMs - run.slotMs);
  }

  told(delivered: number, undelivered: number): void {
    this.delivered += delivered;
    this.undelivered += undelivered;
  }

  quarantine(taskId: string, problem: string): void {
    if (this.#quarantined.size < QUARANTINED_MAX) this.#quarantined.set(taskId, problem);
  }

  /** Due work of this shard is left behind. */
  leave(shard: number): void {
    this.#loaded.add(shard);
  }

  report(durationMs: number): TickReport {
    const { shards, leaseConflicts, succeeded, failed, timedOut, skipped, missed, uncertain, deferred } = this;
    const { fenced, delivered, undelivered, maxLateMs, clockSkewMs } = this;
    const due = succeeded + failed + timedOut + skipped + uncertain + deferred;
    const quarantined = [...this.#quarantined].map(([taskId, problem]) => ({ taskId, problem }));
    return {
      ...{ shards, leaseConflicts, due, succeeded, failed, timedOut, skipped, missed, uncertain, deferred },
      ...{
        loadedShards: [...this.#loaded].sort((a, b) => a - b),
        fenced,
        delivered,
        undelivered,
        quarantined,
        maxLateMs,
        durationMs,
        clockSkewMs,
      },
    };
  }
}
