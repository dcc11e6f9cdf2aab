/**
 * What a function measures, as CloudWatch reads it out of its log (embedded metric format): a line with a hundred values of
 * each metric at most, and no call.
 */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { lineOf } from '../log.ts';
import type { RunRecord } from '../record.ts';
import type { TickReport } from '../report.ts';
import { SERVICE } from './lines.ts';

const METRICS_NAMESPACE = 'Cronkeeper';

/** Tasks whose metrics are gathered before they are written. */
const TASKS_MAX = 200;

const { Count, Milliseconds } = MetricUnit;

const LAUNCHES: Readonly<Record<RunRecord['status'], string>> = {
  succeeded: 'LaunchesSucceeded',
  failed: 'LaunchesFailed',
  'timed-out': 'LaunchesTimedOut',
  skipped: 'LaunchesSkipped',
  uncertain: 'LaunchesUncertain',
};

export interface TickMetricsOptions {
  /** Receives one line with its line feed. */
  readonly write: (line: string) => void;
  /** Of the tasks: a dimension. */
  readonly namespace: string;
  /** Whether each task has metrics of its own, too. */
  readonly perTask: boolean;
}

export class TickMetrics {
  readonly #all: Lines;
  readonly #ofTask: Lines;
  readonly #perTask: boolean;
  readonly #runs = new Map<string, RunRecord[]>();

  constructor({ write, namespace, perTask }: TickMetricsOptions) {
    const options = { namespace: METRICS_NAMESPACE, serviceName: SERVICE, defaultDimensions: { namespace } };
    this.#all = new Lines(options, write);
    this.#ofTask = new Lines(options, write);
    this.#perTask = perTask;
  }

  ran(taskId: string, run: RunRecord): void {
    if (isOnSchedule(run)) this.#all.addMetric('LatenessMs', Milliseconds, latenessMs(run));
    if (!this.#perTask) return;
    this.#runs.set(taskId, [...(this.#runs.get(taskId) ?? []), run]);
    if (this.#runs.size >= TASKS_MAX) this.#publishTasks();
  }

  ticked(report: TickReport): void {
    const { succeeded, failed, timedOut, skipped, uncertain } = report;
    const launches = { succeeded, failed, 'timed-out': timedOut, skipped, uncertain };
    for (const [status, count] of Object.entries(launches)) {
      this.#all.addMetric(LAUNCHES[status as RunRecord['status']], Count, count);
    }
    this.#all
      .addMetric('Due', Count, report.due)
      .addMetric('Deferred', Count, report.deferred)
      .addMetric('Missed', Count, report.missed)
      .addMetric('LeaseConflicts', Count, report.leaseConflicts)
      .addMetric('TickDurationMs', Milliseconds, report.durationMs)
      .addMetric('ClockSkewMs', Milliseconds, report.clockSkewMs)
      // Also where there are none: an alarm can then tell a tick that went well from one that never was.
      .addMetric('TickErrors', Count, 0);
  }

  failed(): void {
    this.#all.addMetric('TickErrors', Count, 1);
  }

  publish(): void {
    this.#all.publishStoredMetrics();
    this.#publishTasks();
  }

  #publishTasks(): void {
    for (const [taskId, runs] of this.#runs) {
      this.#ofTask.addDimension('task', taskId);
      for (const run of runs) {
        this.#ofTask.addMetric(LAUNCHES[run.status], Count, run.count ?? 1);
        if (isOnSchedule(run)) this.#ofTask.addMetric('LatenessMs', Milliseconds, latenessMs(run));
      }
      this.#ofTask.publishStoredMetrics();
    }
    this.#runs.clear();
  }
}

/** Retries, and what was asked for by hand, are late by their nature. */
const isOnSchedule = ({ status, manual, attempt }: RunRecord): boolean =>
  status !== 'skipped' && manual === undefined && attempt === 1;

const latenessMs = ({ startedMs, slotMs }: RunRecord): number => Math.max(0, startedMs - slotMs);

/** Written where the log is written; nothing is written of nothing. */
class Lines extends Metrics {
  readonly #write: (line: string) => void;

  constructor(options: ConstructorParameters<typeof Metrics>[0], write: (line: string) => void) {
    super(options);
    this.#write = write;
  }

  override publishStoredMetrics(): this {
    if (this.hasStoredMetrics() && !this.isDisabled()) this.#write(lineOf(JSON.stringify(this.serializeMetrics()), {}));
    this.clearMetrics();
    this.clearDimensions();
    return this;
  }
}
