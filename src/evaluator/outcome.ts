/** From a worker's report to the outcome that callers see. Everything in it is text that task code may have written. */
import type { RecordedAnswer, Started } from '../evaluator.ts';
import type { Outcome, RunError, RunErrorClass, RunStatus } from '../launch.ts';
import { parseData } from './data.ts';
import type { Report } from './outbox.ts';

const statusOf = (failure: RunErrorClass): Extract<RunStatus, 'failed' | 'timed-out'> =>
  failure === 'Timeout' ? 'timed-out' : 'failed';

/** Never throws: an engine that a task has broken may report anything. */
export function outcomeOf(report: Report): Outcome & Started {
  try {
    return read(report);
  } catch {
    const { startedMs, wallMs } = report;
    return unreported({ failure: 'EngineTrap', message: 'the engine reported what is no JSON', startedMs, wallMs });
  }
}

function read(report: Report): Outcome & Started {
  const { failure, body, startedMs, truncated, answers } = report;
  const logs = report.logs === '' ? [] : (JSON.parse(report.logs) as string[]);
  const usage = {
    wallMs: report.wallMs,
    cpuMs: report.cpuMs,
    peakBytes: report.peakBytes,
    hostCalls: report.hostCalls,
  };
  // What most runs come to, without what the others need: copying one object into another takes as long as all else here.
  if (body === 'null' && failure === undefined && answers === '') {
    return { status: 'succeeded', value: null, startedMs, logs, truncated, usage };
  }
  const common = { startedMs, ...(answers !== '' && { answers: readAnswers(answers) }), logs, truncated, usage };
  if (failure === undefined) return { status: 'succeeded', ...readResult(parseData(body)), ...common };
  const error = JSON.parse(body) as Omit<RunError, 'class'>;
  return { status: statusOf(failure), error: { class: failure, ...error }, ...common };
}

const readAnswers = (json: string): NonNullable<Started['answers']> =>
  json === 'too-large' ? json : (JSON.parse(json) as RecordedAnswer[]);

/** The parts of a result that mean something: only those that are its own properties, as parsed. */
function readResult(value: unknown): Pick<Outcome, 'value' | 'completed' | 'state' | 'nextAt'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value };
  const own = (key: string): unknown => (Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined);
  const [state, nextAt] = [own('state'), own('nextAt')];
  return {
    value,
    ...(own('completed') === true ? { completed: true } : {}),
    ...(state === undefined ? {} : { state }),
    ...(nextAt === undefined ? {} : { nextAt }),
  };
}

/** What is known of a run about which no report came. */
export interface Unreported {
  readonly failure: RunErrorClass;
  /** Default: the class's. */
  readonly name?: string;
  readonly message: string;
  readonly startedMs: number;
  /** Default 0. */
  readonly wallMs?: number;
  readonly hasStarted?: boolean;
}

export const unreported = (what: Unreported): Outcome & Started => {
  const { failure, name = failure, message, startedMs, wallMs = 0, hasStarted = true } = what;
  return {
    status: statusOf(failure),
    error: { class: failure, name, message },
    logs: [],
    truncated: false,
    usage: { wallMs, cpuMs: wallMs, peakBytes: 0, hostCalls: 0 },
    startedMs,
    ...(!hasStarted && { hasStarted }),
  };
};
