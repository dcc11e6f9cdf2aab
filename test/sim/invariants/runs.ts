/**
 * What truly ran, seen from outside. I5: what runs again had a reason, and is counted. I6: a task does not run beside itself
 * under one lease. I3: nothing runs before its time, or later than its window.
 */
import type { Execution } from '../evaluator.ts';
import type { Observer } from '../observer.ts';
import type { SimProcess } from '../process.ts';
import type { Violations } from '../violations.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Ledger } from './ledger.ts';

/** How wrong a process may be about the coordinator's time: as long as a request that says it may take. */
const CLOCK_ERROR_MS = 15_000;
/** A process that nothing has hit for so long knows how late it is. */
const UNHIT_MS = 120_000;
const WINDOW_TOLERANCE_MS = 20_000;

export class Runs {
  readonly executions: Execution[] = [];
  reruns = 0;
  readonly #active = new Map<string, Set<Execution>>();
  readonly #observer: Observer;
  readonly #ledger: Ledger;
  readonly #time: VirtualTime;
  readonly #violations: Violations;

  constructor(observer: Observer, ledger: Ledger, time: VirtualTime, violations: Violations) {
    this.#observer = observer;
    this.#ledger = ledger;
    this.#time = time;
    this.#violations = violations;
  }

  started(execution: Execution): void {
    const { taskId, slotMs, attempt, fence } = execution;
    this.#observer.note(`${taskId}@${slotMs}#${attempt} ${fence} ${execution.startedMs}\n`);
    this.executions.push(execution);
    const active = this.#active.get(taskId) ?? new Set();
    this.#active.set(taskId, active);
    for (const other of active) if (other.endedMs !== undefined || other.process.isKilled) active.delete(other);
    const current = this.#observer.fenceOf(this.#observer.layout.shardOf(taskId));
    const isBeside = fence === current && [...active].some((other) => other.fence === current);
    this.#violations.hold(!isBeside, 'I6', () => `${taskId}@${slotMs} runs while another run of the task does`);
    active.add(execution);
    this.#holdInTime(execution);
  }

  #holdInTime({ taskId, slotMs, attempt, process }: Execution): void {
    const record = this.#observer.records.get(taskId);
    const lateMs = this.#time.wallMs - slotMs;
    this.#violations.hold(lateMs >= -CLOCK_ERROR_MS, 'I3', () => `${taskId}@${slotMs} runs ${-lateMs} ms too early`);
    if (record === undefined || attempt > 1 || this.#ledger.isManual(taskId, slotMs)) return;
    const { windowMs } = record.task.misfire;
    const isHit = process.hits.some(({ untilMs }) => untilMs > this.#time.nowMs - UNHIT_MS);
    const isLate = lateMs > windowMs + record.task.spreadMs + WINDOW_TOLERANCE_MS;
    this.#violations.hold(isHit || !isLate, 'I3', () => `${taskId}@${slotMs} runs ${lateMs} ms late: too old`);
  }

  /** At the end: every start beyond the first of a launch. */
  holdReruns(): void {
    const byLaunch = Map.groupBy(this.executions, ({ taskId, slotMs }) => `${taskId}@${slotMs}`);
    const retried = new Set(
      this.#ledger.entries
        .filter(({ run }) => run.retryMs !== undefined)
        .map(({ taskId, run }) => `${taskId}@${run.slotMs}#${run.attempt}`),
    );
    for (const [launch, starts] of byLaunch) this.#holdLaunch(launch, starts, retried);
  }

  #holdLaunch(launch: string, starts: readonly Execution[], retried: ReadonlySet<string>): void {
    const [first] = starts as [Execution];
    const isOnce = this.#observer.records.get(first.taskId)?.task.delivery === 'at-most-once';
    this.#violations.hold(
      !isOnce || starts.length === 1,
      'I5',
      () => `${launch}: at most once, ${starts.length} starts`,
    );
    for (const [i, later] of starts.entries()) {
      const earlier = starts[i - 1];
      if (earlier === undefined) continue;
      this.reruns++;
      if (earlier.attempt === later.attempt) {
        const isSame = earlier.fence === later.fence && earlier.process === later.process;
        const isLost = isSame && earlier.end === 'worker-lost';
        this.#violations.hold(isLost, 'I5', () => `${launch}: attempt ${later.attempt} began twice`);
      } else {
        // Who was frozen before it began an attempt begins it when it thaws: others may have gone on since.
        const isThawed = wasHitBetween(later.process, earlier, later);
        const isNext = later.attempt > earlier.attempt || isThawed;
        this.#violations.hold(isNext, 'I5', () => `${launch}: attempts go back`);
        const isReasoned = retried.has(`${launch}#${earlier.attempt}`) || isThawed || isHit(earlier, later);
        this.#violations.hold(isReasoned, 'I5', () => `${launch}: attempt ${later.attempt} had no reason`);
      }
    }
  }
}

/** Whether something was done to the earlier run's process between its start and the later one. */
const isHit = (earlier: Execution, later: Execution): boolean =>
  earlier.end === 'cancelled' || earlier.end === 'worker-lost' || wasHitBetween(earlier.process, earlier, later);

const wasHitBetween = ({ hits }: SimProcess, earlier: Execution, later: Execution): boolean =>
  hits.some(({ fromMs, untilMs }) => fromMs <= later.startedMs && untilMs >= earlier.startedMs);
