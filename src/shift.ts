/**
 * The time between taking the leases and giving them back: due entries go to the dispatcher, later ones to the timers,
 * what comes out to the committer; and an end is made in time.
 */
import { Agenda } from './agenda.ts';
import type { EpochMs } from './clock.ts';
import { type Committed, Committer } from './commit.ts';
import type { Session } from './coordinator.ts';
import { coordinatorTime } from './coordinator-time.ts';
import { SEND_MS } from './courier.ts';
import { Delivery } from './delivery.ts';
import { Dispatcher } from './dispatch.ts';
import { Doorbells } from './doorbell.ts';
import type { Days, TimedEntry } from './due.ts';
import { CLOSING_MS, Ending, isDoneWithin, isUnanswered, leavingBehind } from './ending.ts';
import { messageOf } from './errors.ts';
import { callForHelp } from './help.ts';
import type { Item } from './item.ts';
import { Journal } from './journal.ts';
import type { Layout } from './layout.ts';
import { type Lease, releaseAll } from './lease.ts';
import { closeLeftBehind } from './left-behind.ts';
import { type Look, lookAt } from './look.ts';
import { PACE } from './pace.ts';
import type { Tally } from './report.ts';
import type { Done, Settled } from './settle.ts';
import type { Share } from './share.ts';
import { recordsOf } from './store.ts';
import { SWEEP_STEP_MS, SWEEPING_SHARD, sweepAll } from './sweep.ts';
import { LINGER_MS_MAX, type TickDeps, type TickOptions } from './tick-options.ts';
import { Upcoming } from './upcoming.ts';
import { Wakes } from './wakes.ts';

/** What a lingering tick wakes up for. */
type Reason = 'prepare' | 'scan' | 'doorbell' | 'vacancy' | 'over';

/** The time between taking the leases and giving them back. */
export class Shift {
  readonly #deps: TickDeps;
  readonly #options: TickOptions;
  readonly #session: Session;
  readonly #layout: Layout;
  readonly #share: Share;
  readonly #leases = new Map<number, Lease>();
  readonly #tally: Tally;
  /** What is due later is left to the next tick. */
  #untilMs: EpochMs;
  /** The coordinator's time: clocks of machines differ, and all must agree on what is due. */
  readonly #now: () => EpochMs;
  readonly #lingers: boolean;
  readonly #agenda: Agenda;
  readonly #journal: Journal;
  readonly #committer: Committer;
  readonly #dispatcher: Dispatcher;
  readonly #delivery: Delivery;
  readonly #upcoming: Upcoming;
  readonly #doorbells: Doorbells;
  #wakes: Wakes<Reason> | undefined;
  readonly #ending: Ending;
  /** No other invocation has it, before or after: the shard and the fence of its first lease. */
  #name = '';
  /** Launches that were on their way when the session ended. */
  #leftBehind = 0;
  #pagesMade = 0;
  readonly #looks: Look[] = [];

  constructor(
    deps: TickDeps,
    options: TickOptions,
    session: Session,
    layout: Layout,
    share: Share,
    leases: readonly Lease[],
    tally: Tally,
    startedMs: number,
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#session = session;
    this.#layout = layout;
    this.#tally = tally;
    this.#share = share;
    this.#now = coordinatorTime(deps.clock, tally.clockSkewMs);
    for (const lease of leases) this.#hold(lease);
    const countLeft = () => {
      this.#leftBehind = this.#dispatcher.unrecorded;
    };
    session.signal.addEventListener('abort', countLeft, { once: true }); // before the runs under way are told to end
    const budgetMs = options.budgetMs ?? Infinity;
    this.#ending = new Ending(deps.clock, session, startedMs + budgetMs, options.signal);
    this.#untilMs = this.#now() + Math.min(options.lingerMs ?? 0, LINGER_MS_MAX, Math.max(0, budgetMs - CLOSING_MS));
    this.#lingers = this.#untilMs > this.#now();
    this.#agenda = new Agenda(session, layout);
    this.#journal = new Journal(session, layout, (lease) => this.#onFenced(lease));
    const submit = (due: readonly TimedEntry[]) => this.#dispatcher.submit(due);
    const times = { now: this.#now, until: () => this.#untilMs, lingers: this.#lingers };
    this.#upcoming = new Upcoming({ clock: deps.clock, ...times, submit });
    this.#doorbells = new Doorbells(session, layout, () => {
      this.#dispatcher.cool();
      this.#wakes?.wakeIn(PACE.doorbellMs, 'doorbell');
    });
    this.#committer = this.#createCommitter();
    this.#dispatcher = this.#createDispatcher();
    this.#delivery = this.#createDelivery();
  }

  async work(): Promise<void> {
    const isBusy = () => !this.#dispatcher.isQuiet && !this.#ending.isClosing;
    const { onWaiting } = this.#options;
    const alone = callForHelp({ clock: this.#deps.clock, now: this.#now, share: this.#share, isBusy, onWaiting });
    try {
      await this.#scan([...this.#leases.keys()], await this.#takeOver([...this.#leases.values()]));
      if (this.#now() < this.#untilMs) await this.#lingerAndOn();
      else if (this.#share.isLimited) await this.#goOn();
      await this.#ending.unlessFailed(this.#dispatcher.idle());
      await this.#ending.unlessFailed(this.#committer.flush());
      await this.#ending.unlessFailed(this.#delivery.finish());
      if (!this.#ending.isClosing) await this.#agenda.sweep(this.#now());
      await this.#sweep();
    } catch (error) {
      this.#ending.fail(error);
    } finally {
      alone();
      this.#ending.over();
      this.#upcoming.stop();
      this.#dispatcher.stop();
      this.#delivery.stop();
      await this.#giveBack();
    }
    if (this.#ending.failure !== undefined) throw leavingBehind(this.#leftBehind, this.#ending.failure);
  }

  #hold(lease: Lease): void {
    if (this.#name === '') this.#name = `${lease.shard.toString(36)}.${lease.fence.toString(36)}`;
    this.#leases.set(lease.shard, lease);
    this.#tally.shards++;
  }

  /** What earlier holders of the shards had begun. Gives the days in which something may be due. */
  async #takeOver(leases: readonly Lease[]): Promise<Days | undefined> {
    const look = await lookAt(this.#session, this.#layout, leases);
    this.#looks.push(look);
    await this.#journal.takeOver(look.shards, (ids) => recordsOf(this.#session, this.#layout, ids));
    const onClosed = (done: Done, settled: Settled) => this.#count(settled.record.task.id, done, settled);
    const means = { session: this.#session, layout: this.#layout, journal: this.#journal, maker: this.#maker };
    const takeover = { ...means, directories: this.#agenda.directories, now: this.#now, onClosed };
    const closed = await closeLeftBehind(takeover, leases);
    this.#delivery.look(leases.map(({ shard }) => shard));
    return closed > 0 ? undefined : look.days;
  }

  async #sweep(): Promise<void> {
    const [nowMs, leaves] = [this.#now(), () => this.#ending.leaves(SWEEP_STEP_MS)];
    if (!this.#looks.some((look) => look.hasSweepable(nowMs))) return;
    await sweepAll(this.#session, this.#layout, this.#leases.get(SWEEPING_SHARD), { nowMs, leaves });
  }

  readonly #maker = () => `${this.#name}.${(this.#pagesMade++).toString(36)}`;

  #count(taskId: string, done: Done, settled: Settled): void {
    this.#tally.count(done, settled);
    for (const run of settled.added) this.#options.onRun?.(taskId, run);
  }

  /** Shards whose holder has died or gone since, and what is due in them. */
  async #takeVacant(): Promise<void> {
    const onChange = () => this.#wakes?.wakeNow('vacancy');
    const { leases, againInMs } = await this.#share.vacant(this.#leases.size, onChange);
    if (againInMs !== undefined) this.#wakes?.wakeIn(againInMs, 'vacancy');
    await this.#holdMore(leases);
  }

  async #holdMore(leases: readonly Lease[]): Promise<void> {
    if (leases.length === 0) return;
    for (const lease of leases) this.#hold(lease);
    await this.#takeOver(leases);
  }

  /** What others have not come for, share by share. */
  async #goOn(): Promise<void> {
    for (;;) {
      await this.#ending.unlessFailed(this.#dispatcher.idle());
      if (!this.#ending.leaves(PACE.shareMs)) return;
      const leases = await this.#share.next(this.#untilMs);
      if (leases.length === 0) return;
      await this.#holdMore(leases);
      await this.#scan(leases.map(({ shard }) => shard));
    }
  }

  /**
   * Lingers, and goes on for as long as a run outlasts the time: the leases are held until it ends, so nobody else
   * could run what falls due meanwhile.
   */
  async #lingerAndOn(): Promise<void> {
    const lastMs = this.#now() + LINGER_MS_MAX;
    await this.#linger();
    while (!(await this.#isIdleSoon()) && this.#untilMs < lastMs && this.#ending.leaves(PACE.extensionMs)) {
      const fromMs = this.#untilMs;
      this.#untilMs = this.#now() + PACE.extensionMs;
      this.#accept([...this.#agenda.entriesAfter(fromMs)]);
      await this.#linger();
    }
  }

  async #isIdleSoon(): Promise<boolean> {
    return isDoneWithin(this.#deps.clock, PACE.idleSoonMs, async (enough) => {
      await this.#ending.unlessFailed(this.#dispatcher.quiet(enough));
      if (!enough.aborted) this.#delivery.wane();
      await this.#ending.unlessFailed(this.#delivery.quiet(enough));
    });
  }

  /** Brings what is due to the dispatcher, and what will be due soon to the timers. */
  async #scan(shards: readonly number[] = [...this.#leases.keys()], days?: Days): Promise<void> {
    const untilMs = Math.min(this.#untilMs, this.#now() + PACE.scanAheadMs);
    for await (const page of this.#agenda.read(shards, untilMs, days)) {
      if (this.#ending.isClosing) {
        for (const shard of shards) this.#tally.leave(shard); // what has not been read, nobody has counted
        break;
      }
      const againInMs = this.#upcoming.fullForMs(page);
      if (againInMs !== undefined) {
        this.#agenda.forget(page);
        this.#wakes?.wakeIn(againInMs, 'scan');
        break;
      }
      this.#accept([...page.left.values()]);
      await this.#ending.unlessFailed(this.#dispatcher.room());
    }
  }

  #accept(entries: readonly TimedEntry[]): void {
    if (!this.#ending.isClosing) this.#upcoming.accept(entries);
  }

  /** Stays until the time is over; sees tasks that are added, moved or edited meanwhile, and shards that become free. */
  async #linger(): Promise<void> {
    const wakes = new Wakes<Reason>(this.#deps.clock);
    this.#wakes = wakes;
    const over = () => wakes.wakeNow('over');
    this.#ending.closing.addEventListener('abort', over);
    try {
      wakes.wakeIn(this.#untilMs - this.#now(), 'over');
      let why: Reason = 'vacancy'; // for what came after the first look, when nobody was listening yet
      do {
        if (why !== 'prepare') await this.#lookAround(why);
        const soon = this.#upcoming.soon();
        if (soon.length > 0) await this.#dispatcher.prepare(soon);
        wakes.wakeIn(PACE.prepareEveryMs, 'prepare');
        wakes.wakeIn(PACE.scanAheadMs / 2, 'scan');
        why = await wakes.next();
      } while (why !== 'over' && !this.#ending.isClosing);
    } finally {
      this.#ending.closing.removeEventListener('abort', over);
      wakes.stop();
      this.#wakes = undefined; // the next linger looks for itself
    }
  }

  async #lookAround(why: Reason): Promise<void> {
    if (why === 'vacancy') await this.#takeVacant();
    await this.#doorbells.listen(this.#leases.keys());
    if (why === 'doorbell') this.#dispatcher.cool(); // again, for records that were read before the ring and came after it
    await this.#scan();
  }

  #onCommitted(committed: readonly Committed[], next: readonly TimedEntry[]): void {
    for (const { item, settled, loaded } of committed) {
      if (settled !== undefined && typeof item.done !== 'string') {
        if (item.done.launch !== undefined) this.#journal.done(item.entry.taskId, item.done.launch.slotMs);
        this.#count(item.entry.taskId, item.done, settled);
      }
      this.#dispatcher.release(item.entry, loaded);
      this.#agenda.settle(item.entry.page);
    }
    this.#accept(next.filter(({ page }) => this.#agenda.has(page)));
  }

  #onFenced(lease: Lease, dropped: readonly Item[] = []): void {
    if (this.#leases.delete(lease.shard)) this.#tally.fenced++;
    this.#tally.deferred += dropped.length;
    for (const { entry } of dropped) this.#dispatcher.release(entry);
  }

  /** When the coordinator has failed, or nothing is to be written, the end of the session gives them back, and sooner. */
  async #giveBack(): Promise<void> {
    if (this.#session.signal.aborted || isUnanswered(this.#ending.failure)) return;
    const leases = [...this.#leases.values()].map((lease) => ({ lease, ops: this.#journal.closing(lease) }));
    if (leases.some(({ ops }) => ops.length > 0)) await releaseAll(this.#session, this.#layout, leases);
  }

  #createCommitter(): Committer {
    return new Committer({
      session: this.#session,
      layout: this.#layout,
      ...{ clock: this.#deps.clock, lingers: this.#lingers },
      directories: this.#agenda.directories,
      maker: this.#maker,
      onPages: (pages) => this.#agenda.add(pages.filter((page) => this.#upcoming.isSoon(page))),
      onCommitted: (committed, next) => this.#onCommitted(committed, next),
      onMail: (shards) => this.#delivery.look(shards),
      onFenced: (lease, dropped) => this.#onFenced(lease, dropped),
      onFailed: (error) => this.#ending.fail(error),
    });
  }

  #createDelivery(): Delivery {
    return new Delivery({
      ...{ session: this.#session, layout: this.#layout, leases: this.#leases, directories: this.#agenda.directories },
      ...{ courier: this.#deps.courier, clock: this.#deps.clock },
      now: this.#now,
      maker: this.#maker,
      mayStart: () => this.#ending.leaves(SEND_MS),
      signal: this.#ending.ending,
      onTold: (delivered, undelivered) => this.#tally.told(delivered, undelivered),
      onFenced: (lease) => this.#onFenced(lease),
      onFailed: (error) => this.#ending.fail(error),
    });
  }

  #createDispatcher(): Dispatcher {
    const { evaluator, code, capabilities, outbound } = this.#deps;
    return new Dispatcher({
      session: this.#session,
      layout: this.#layout,
      leases: this.#leases,
      journal: this.#journal,
      committer: this.#committer,
      evaluator,
      code,
      capabilities,
      ...(outbound !== undefined && { outbound }),
      clock: this.#deps.clock,
      now: this.#now,
      skewMs: this.#tally.clockSkewMs,
      mayStart: (timeoutMs) => this.#ending.leaves(timeoutMs),
      timeoutMsMax: (this.#options.budgetMs ?? Infinity) - CLOSING_MS,
      warmUntil: () => (this.#lingers ? this.#untilMs + PACE.extensionMs : -Infinity),
      signal: this.#ending.ending,
      onDeferred: (entry, isLoad) => {
        this.#tally.deferred++;
        if (isLoad) this.#tally.leave(entry.shard);
      },
      onQuarantined: (taskId, problem) => this.#tally.quarantine(taskId, messageOf(problem)),
      onFailed: (error) => this.#ending.fail(error),
    });
  }
}
