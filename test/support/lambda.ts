/** Lambda's side of a handler: events from files, a context, the log that it writes, and a keeper that notes what it is asked. */
import { readFileSync } from 'node:fs';
import type { Context } from 'aws-lambda';
import type { BusEvent, Emitted } from '../../src/event.ts';
import type { CommandKeeper } from '../../src/lambda.ts';
import type { TickReport } from '../../src/report.ts';
import type { Tasks } from '../../src/tasks.ts';
import type { TickOptions } from '../../src/tick.ts';

export const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../events/${name}.json`, import.meta.url), 'utf8'));

/** The records of an event that comes in batches. */
export const recordsIn = (name: string): Record<string, unknown>[] =>
  fixture(name).Records as Record<string, unknown>[];

let requests = 0;

/** Each invocation has a request id of its own, as in the cloud. */
export const context = (remainingMs = 60_000): Context => {
  const id = (requests++).toString(16).padStart(12, '0');
  return {
    awsRequestId: `8f507cfc-1b2c-4d5e-9f00-${id}`,
    functionName: 'cronkeeper-test-tick',
    getRemainingTimeInMillis: () => remainingMs,
  } as Context;
};

/** What a handler writes, parsed. */
export function memoryLines() {
  const lines: Record<string, unknown>[] = [];
  return {
    write: (line: string) => {
      lines.push(JSON.parse(line));
    },
    /** Of the log, without the metrics. */
    log: () => lines.filter((line) => line._aws === undefined),
    metrics: () => lines.filter((line) => line._aws !== undefined),
    text: () => lines.map((line) => JSON.stringify(line)).join('\n'),
  };
}

const REPORT = {
  ...{ shards: 8, leaseConflicts: 0, due: 0, succeeded: 0, failed: 0, timedOut: 0, skipped: 0, missed: 0 },
  ...{ uncertain: 0, deferred: 0, fenced: 0, quarantined: [], maxLateMs: 0, durationMs: 1, clockSkewMs: 0 },
} as unknown as TickReport;

type Asked = readonly [what: string, ...details: readonly unknown[]];

export interface Recorder {
  readonly keeper: CommandKeeper & { emit(event: BusEvent): Promise<Emitted> };
  /** What it was asked to do, in order; `tick` with its linger. */
  readonly asked: Asked[];
  readonly ticks: TickOptions[];
  /** In whose name. */
  readonly senders: string[];
}

/** @param answers in place of what it answers by itself: `run` with a launch, `emit` with one, `tick` with a report. */
export function recorder(answers: Partial<Record<'run' | 'put' | 'emit' | 'tick', () => unknown>> = {}): Recorder {
  const asked: Asked[] = [];
  const ticks: TickOptions[] = [];
  const senders: string[] = [];
  const note =
    (what: string, answer: () => unknown) =>
    async (...details: readonly unknown[]): Promise<never> => {
      asked.push([what, ...details]);
      return (await answer()) as never;
    };
  const launch = { launchId: 'report@1', slot: '1970-01-01T00:00:00.001Z' };
  const tasks = Object.fromEntries(
    ['run', 'put', 'pause', 'resume', 'remove'].map((name) => [
      name,
      note(name, answers[name as 'run' | 'put'] ?? (() => launch)),
    ]),
  ) as unknown as Tasks;
  const keeper = {
    as: (sender: string) => {
      senders.push(sender);
      return tasks;
    },
    emit: note('emit', answers.emit ?? (() => ({ launches: [launch], refused: [] }))),
    tick: async (options: TickOptions = {}) => {
      asked.push(['tick', options.lingerMs]);
      ticks.push(options);
      return ((await answers.tick?.()) ?? REPORT) as TickReport;
    },
    release: note('release', () => undefined),
  };
  return { keeper, asked, ticks, senders };
}
