/** Bugs that others have had, or that we might: the simulation must find each of them. */

/** What is found in the source, exactly once, and what stands there instead. */
export type Edit = readonly [find: string, replace: string];

export interface Mutant {
  readonly name: string;
  /** What is wrong with it, for whoever reads the list. */
  readonly what: string;
  /** By file. */
  readonly edits: Readonly<Record<string, readonly Edit[]>>;
}

const LOCK_CHECK = "{ op: 'check', path: layout.lock(shard) },";
const EPOCH_CHECK = "{ op: 'check', path: layout.epoch(shard), version: fence },";
const NO_CHECK = "{ op: 'check', path: layout.shard(shard) },";

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no-fence',
    what: 'a holder writes whatever has happened to its lease',
    edits: {
      'src/lease.ts': [
        [LOCK_CHECK, NO_CHECK],
        [EPOCH_CHECK, NO_CHECK],
      ],
    },
  },
  {
    name: 'fence-by-version-0',
    what: 'the epoch is checked at version 0, which node-zookeeper-client sends as any version',
    edits: {
      'src/lease.ts': [
        [LOCK_CHECK, NO_CHECK],
        [EPOCH_CHECK, "{ op: 'check', path: layout.epoch(shard) },"],
      ],
    },
  },
  {
    name: 'fence-by-lock-path',
    what: 'the lock is there, whoever made it',
    edits: { 'src/lease.ts': [[EPOCH_CHECK, NO_CHECK]] },
  },
  {
    name: 'fence-per-session',
    what: 'a session is kept for the next invocation, and its fence is whatever its latest lease has',
    edits: {
      'src/tick.ts': [
        ['const session = await deps.coordinator.connect();', 'const session = await kept(deps.coordinator);'],
        ['await session.close();', 'if (session.signal.aborted) sessions.delete(deps.coordinator);'],
        [
          '/** Without a shard,',
          `const sessions = new WeakMap();
           async function kept(coordinator) {
             const known = sessions.get(coordinator);
             if (known !== undefined && !known.signal.aborted) return known;
             const session = await coordinator.connect();
             sessions.set(coordinator, session);
             return session;
           }
           /** Without a shard,`,
        ],
      ],
      'src/shift.ts': [['if (leases.some(({ ops }) => ops.length > 0)) await', 'await']],
      'src/lease.ts': [
        ['const guard: Op[] = [', 'fences.set(layout.epoch(shard), fence); const guard: Op[] = ['],
        [EPOCH_CHECK, "{ op: 'check', path: layout.epoch(shard), get version() { return fences.get(this.path); } },"],
        ['/** Operations of a guard. */', 'const fences = new Map(); /** Operations of a guard. */'],
      ],
    },
  },
  {
    name: 'record-blindly-again',
    what: 'a commit whose reply was lost is sent again, without a look at what is there',
    edits: { 'src/commit.ts': [['if (wasApplied(items, found)) return this.#report(built);', '']] },
  },
  {
    name: 'advance-before-run',
    what: 'the schedule moves on before the launch runs',
    edits: {
      'src/dispatch.ts': [
        [
          'await this.#run(\n      runnable',
          `const { encodeRecord, slotAfter } = await import('./record.ts');
           for (const { loaded: { record, version }, launch } of runnable) {
             if (launch.manual !== undefined || record.retry !== undefined) continue;
             const moved = { ...record, decidedMs: launch.slotMs };
             const { nextSlotMs: _, ...rest } = moved;
             const nextSlotMs = slotAfter(moved, launch.slotMs);
             const data = encodeRecord(nextSlotMs === undefined ? { ...rest, ended: 'exhausted' } : { ...rest, nextSlotMs });
             await session.multi([{ op: 'set', path: layout.task(record.task.id), version, data }]).catch(() => undefined);
           }
           await this.#run(\n      runnable`,
        ],
      ],
    },
  },
  {
    name: 'persistent-lock',
    what: 'a lock outlives its holder',
    edits: { 'src/lease.ts': [["mode: 'ephemeral'", "mode: 'persistent'"]] },
  },
  {
    name: 'one-slot-per-tick',
    what: 'a task that is behind catches up by one slot per tick',
    edits: { 'src/shift.ts': [['    this.#accept(next.filter(({ page }) => this.#agenda.has(page)));\n', '']] },
  },
  {
    name: 'index-outside-the-transaction',
    what: 'the next due entry is written after the record, and not with it',
    edits: {
      'src/commit.ts': [
        ['...taken, ...later.ops, ...hints, ...told];', '...taken, ...hints, ...told];'],
        [
          'await this.#options.session.multi(built.ops);',
          `await this.#options.session.multi(built.ops);
           if (built.later.ops.length > 0) await this.#options.session.multi(built.later.ops);`,
        ],
      ],
    },
  },
  {
    name: 'nobody-is-told',
    what: 'what destinations are to be told is not written with the record',
    edits: { 'src/commit.ts': [['...hints, ...told];', '...hints];']] },
  },
  {
    name: 'chain-apart-from-its-message',
    what: 'the next task of a chain is launched first, and the message taken out of the outbox afterwards',
    edits: {
      'src/delivery.ts': [
        [
          'await session.multi([...writing.ops, ...room, ...(more ?? [])]);',
          `if (more !== undefined) await session.multi([...more]);
           await session.multi([...writing.ops, ...room]);`,
        ],
      ],
    },
  },
  {
    name: 'misfire-window-ignored',
    what: 'slots are launched however old they are',
    edits: { 'src/plan.ts': [["if (lateMs > misfire.windowMs) return 'too-old';", '']] },
  },
  {
    name: 'journal-not-read',
    what: 'nobody learns what a dead holder had begun',
    edits: { 'src/journal.ts': [['if (paths.length === 0) return;', 'if (paths.length >= 0) return;']] },
  },
  {
    name: 'attempt-not-counted',
    what: 'what a dead holder had begun is begun again as if it had not',
    edits: {
      'src/plan.ts': [
        ['launch: { ...launch, attempt: begun + 1, crashes }', 'launch'],
        ['if (begun >= Math.max(retry.attempts, CRASH_ATTEMPTS_MAX)) {', 'if (begun === Infinity) {'],
      ],
    },
  },
  {
    name: 'local-clock',
    what: 'what is due is decided by the clock of whoever looks',
    edits: {
      'src/coordinator-time.ts': [
        ['return () => Math.floor(originMs + clock.elapsed());', 'return () => clock.now();'],
      ],
    },
  },
  {
    name: 'claim-after-start',
    what: 'the journal is written after the launches have started',
    edits: {
      'src/dispatch.ts': [
        ['await journal.begin(runnable.map(', 'const claiming = journal.begin(runnable.map('],
        ['await this.#run(\n      runnable', 'claiming.catch(() => undefined);\n    await this.#run(\n      runnable'],
      ],
    },
  },
];
