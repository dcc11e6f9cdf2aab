/** `cronkeeper tick` and `cronkeeper worker`: the engine from a terminal. */
import { type Cronkeeper, openCronkeeper } from '../app.ts';
import type { Random } from '../clock.ts';
import type { Config } from '../config.ts';
import type { TickReport } from '../report.ts';
import type { TickOptions } from '../tick.ts';
import { assertDirect, type Context, keeperOptions } from './connection.ts';
import { showLaunches } from './launches.ts';
import { roughly } from './present.ts';
import { listenForStop } from './stop.ts';
import { oneLine } from './table.ts';
import { keepTicking } from './ticking.ts';

/** How long a worker's tick lingers unless it is told otherwise. */
const WORKER_LINGER_MS = 55_000;

export interface EngineFlags {
  /** ms */
  readonly linger?: number;
  /** Default: the configuration's. */
  readonly shardsMax?: number;
}

/** One tick; says its report. */
export async function tickOnce(context: Context, { linger, shardsMax }: EngineFlags): Promise<void> {
  assertDirect(context, 'tick');
  const { output, config, clock } = context;
  const keeper = await openCronkeeper(keeperOptions(context));
  try {
    using stop = listenForStop(clock, () => output.note('stopping: no new launches'));
    const lingerMs = linger ?? config.lingerMs;
    const report = await keeper.tick({ lingerMs, signal: stop.signal, ...shareOf(config, shardsMax) });
    output.result(report, () => reportText(report));
  } finally {
    await keeper.close();
  }
}

/** Ticks one after the other until it is stopped; shows every launch. */
export async function work(context: Context, { linger, shardsMax }: EngineFlags, random: Random): Promise<void> {
  assertDirect(context, 'worker');
  const { output, config, clock } = context;
  const lingerMs = linger ?? (config.lingerMs > 0 ? config.lingerMs : WORKER_LINGER_MS);
  const options = keeperOptions(context);
  const keeper: Cronkeeper = await openCronkeeper(options);
  try {
    using stop = listenForStop(clock, () => output.note('stopping: no new launches'));
    const { signal } = stop;
    output.note(`working on ${options.url}, namespace ${options.namespace}; stop with Ctrl-C`);
    let isWaiting = false;
    const wait = () => {
      if (!isWaiting) output.note('others hold every shard; waiting for one');
      isWaiting = true;
    };
    const standing = { standby: true, onStandby: wait, onRun: showLaunches(output) };
    const tickOptions: TickOptions = { lingerMs, signal, ...standing, ...shareOf(config, shardsMax) };
    await keepTicking({
      tick: async () => {
        const report = await keeper.tick(tickOptions);
        isWaiting = report.shards === 0;
        return report;
      },
      ...{ clock, random, signal },
      onIdle: wait,
      onFailure: (message, retryMs) => output.note(`a tick failed: ${message}; the next one in ${roughly(retryMs)}`),
    });
  } finally {
    await keeper.close();
  }
}

/** How many shards a tick takes at a time; all of them unless something says otherwise. */
function shareOf({ shardsPerTick }: Config, flag = shardsPerTick): Pick<TickOptions, 'shardsMax'> {
  return flag > 0 ? { shardsMax: flag } : {};
}

function reportText(report: TickReport): string {
  const { shards, due, succeeded, failed, timedOut, skipped, uncertain, deferred, fenced } = report;
  const { durationMs, maxLateMs, clockSkewMs, quarantined } = report;
  if (shards === 0) return 'others hold every shard: they are at work, or their sessions have not ended yet';
  const parts = Object.entries({ succeeded, failed, 'timed out': timedOut, skipped, uncertain, deferred })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`);
  const lines = [
    [`${due} due`, ...(parts.length > 0 ? [parts.join(', ')] : [])].join(': '),
    [
      `${shards} shards`,
      roughly(durationMs),
      ...(maxLateMs > 0 ? [`latest start ${roughly(maxLateMs)} late`] : []),
    ].join(', '),
  ];
  if (fenced > 0) lines.push(`${fenced} shards were lost to a newer holder`);
  if (clockSkewMs !== 0) lines.push(`this clock and the coordinator's differ by ${roughly(Math.abs(clockSkewMs))}`);
  lines.push(...quarantined.map(({ taskId, problem }) => `quarantined ${taskId}: ${oneLine(problem)}`));
  return lines.join('\n');
}
