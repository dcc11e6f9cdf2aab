/**
 * Changes of tasks that users ask for, as they are written: the records in one transaction with their code, due entries, rules
 * and trail. Each is a compare-and-swap; whoever is slower reads again and tries again.
 */
import { type AuditAction, auditLine } from './audit.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { EpochMs } from './clock.ts';
import { isRefused, type Session } from './coordinator.ts';
import { DueDirectories } from './due-directories.ts';
import { assertFits, type Edited, editOps } from './edit-ops.ts';
import { CronkeeperError, isCronkeeperError } from './errors.ts';
import type { Program } from './evaluator.ts';
import { rulesOps } from './event-index.ts';
import type { Layout } from './layout.ts';
import { newPageOps } from './new-pages.ts';
import type { TaskQuota } from './quota.ts';
import { isRemoved, type TaskRecord } from './record.ts';
import { encodeRecord } from './record-text.ts';
import { type CodeCache, isLoaded, type Loaded, loadRecords } from './store.ts';
import { StoredCode } from './stored-code.ts';

/** How often an edit is tried against faster ones. */
const ATTEMPTS_MAX = 20;

export interface ChangesDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly code: CodeCache;
  readonly now: () => Promise<EpochMs>;
  /** Unique in the namespace. */
  readonly maker: () => string;
  readonly trail: AuditTrail;
  readonly quota: TaskQuota;
}

/** From what is stored to what is to be stored; the same record: nothing to do. */
export type Change = (found: Loaded | undefined, nowMs: EpochMs) => TaskRecord;

export interface Wish {
  readonly id: string;
  /** Of a user; what has none leaves no trail. */
  readonly action: AuditAction | undefined;
  readonly program?: Program;
  readonly change: Change;
  /** Whether the record that comes of it must not be too large. */
  readonly isBounded?: boolean;
}

interface Changed extends Edited {
  readonly wish: Wish;
}

export interface Done {
  readonly record: TaskRecord;
  readonly created: boolean;
}

export interface ApplyOptions {
  /** Whose changes these are. */
  readonly principal: string;
  /**
   * Most likely there are no such tasks: then nothing is read before they are created. What is there refuses the transaction
   * that creates it, and is read then. Not to ask for what is not there saves a third of the server's work.
   */
  readonly isLikelyNew?: boolean;
}

/** What is changed over one session, whoever asks. */
export class Changes {
  readonly stored: StoredCode;
  readonly #deps: ChangesDeps;
  readonly #directories: DueDirectories;

  constructor(deps: ChangesDeps) {
    this.#deps = deps;
    this.stored = new StoredCode(deps);
    this.#directories = new DueDirectories(deps.session);
  }

  /** Applies changes in one transaction; against faster ones, again. */
  async apply(wishes: readonly Wish[], { principal, isLikelyNew = false }: ApplyOptions): Promise<Done[]> {
    for (let attempt = 1; ; attempt++) {
      const nowMs = await this.#deps.now();
      const isGuess = isLikelyNew && attempt === 1;
      const changes = isGuess
        ? wishes.map((wish) => changeOf(wish, undefined, nowMs))
        : await this.#read(wishes, nowMs);
      const changed = changes.filter(({ found, record }) => record !== found?.record);
      try {
        if (changed.length > 0) await this.#write(changed, nowMs, principal);
        else await this.stored.mend(wishes.flatMap(({ program }) => program ?? []));
        return changes.map(doneOf);
      } catch (error) {
        const isUnknown = isCronkeeperError(error, 'outcome-unknown');
        // Those that are there do not count as new.
        const isMiscounted = isGuess && isCronkeeperError(error, 'quota-exceeded');
        if ((!isUnknown && !isRefused(error) && !isMiscounted) || attempt === ATTEMPTS_MAX) throw error;
        if (isUnknown && (await this.#isThere(changed))) return changes.map(doneOf);
        this.#directories.forget();
        this.#deps.trail.forget();
        this.stored.forget();
      }
    }
  }

  async #read(wishes: readonly Wish[], nowMs: EpochMs): Promise<Changed[]> {
    const { session, layout } = this.#deps;
    const ids = wishes.map(({ id }) => id);
    const loaded = await loadRecords(session, layout, ids);
    return wishes.map((wish, i) => {
      const found = loaded[i];
      if (found !== undefined && !isLoaded(found)) throw unreadable(found);
      return changeOf(wish, found, nowMs);
    });
  }

  /** The reply was lost: was the change made? It is atomic, so any of its records tells. */
  async #isThere([first]: readonly Changed[]): Promise<boolean> {
    if (first === undefined) return true;
    const node = await this.#deps.session.get(this.#deps.layout.task(first.wish.id));
    return node?.data === first.data;
  }

  async #write(changed: readonly Changed[], nowMs: EpochMs, principal: string): Promise<void> {
    const { session, layout, maker, trail, quota } = this.#deps;
    const code = await this.stored.ops(changed.flatMap(({ wish }) => wish.program ?? []));
    const armed = changed.filter(({ found, record }) => record.timer !== found?.record.timer);
    const entries = armed.flatMap(({ record: { task, dueMs, timer } }) =>
      dueMs === undefined ? [] : [{ taskId: task.id, dueMs, timer }],
    );
    const pages = newPageOps(layout, entries, maker);
    const both = changed.map(({ found, record }) => ({ before: found?.record, after: record }));
    const [rules] = await Promise.all([
      rulesOps(session, layout, both, maker),
      this.#directories.have(pages.directories),
      trail.open(session, layout, nowMs),
    ]);
    const lines = changed.flatMap(({ wish: { action }, found, record }) =>
      action === undefined ? [] : [auditLine(action, found?.record, record)],
    );
    const noted = trail.ops(layout, nowMs, maker, principal, lines);
    const added = changed.filter(({ found }) => found === undefined).length;
    await quota.within(session, layout, nowMs, added, () =>
      session.multi([...code, ...editOps(layout, nowMs, changed, maker), ...rules, ...pages.ops, ...noted]),
    );
  }
}

function changeOf(wish: Wish, found: Loaded | undefined, nowMs: EpochMs): Changed {
  const record = wish.change(found, nowMs);
  if (record === found?.record) return { wish, found, record, data: '' };
  const data = encodeRecord(record);
  if (wish.isBounded) assertFits(record, data);
  return { wish, found, record, data };
}

const doneOf = ({ found, record }: Changed): Done => ({
  record,
  created: found === undefined || isRemoved(found.record),
});

const unreadable = (problem: CronkeeperError): CronkeeperError =>
  new CronkeeperError('corrupt', `${problem.message}. To begin again: remove the task, and put it`, { cause: problem });
