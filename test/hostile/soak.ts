/**
 * All cases again and again in one process, as a resident worker would meet them: prints what the process holds after
 * the first round and after the last as JSON, and ends by itself. `node --expose-gc test/hostile/soak.ts [runs]`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena } from './arena.ts';
import { sourceOf } from './case.ts';
import { ALL_CASES } from './corpus.ts';

const WALL_MS = 25;
const WARM_UP_RUNS = 400;
/** After a run that hung, a thread is still on its way out, and another on its way in. */
const SETTLE_MS = 100;
const SETTLED_AFTER = 5;
const SETTLE_ATTEMPTS_MAX = 100;

interface Holdings {
  readonly rssBytes: number;
  readonly threads: number;
  /** Handles of the event loop by type, those included that would not keep the process alive. */
  readonly handles: Readonly<Record<string, number>>;
  /** Timers of JavaScript that wait; all of them share one handle, and the others are V8's own and go by themselves. */
  readonly timers: number;
  readonly listeners: number;
}

/** As much as we use of it. */
interface DiagnosticReport {
  readonly workers: readonly unknown[];
  readonly libuv: readonly { readonly type: string }[];
}

/** What this file prints. */
export interface Soaked {
  readonly runs: number;
  /** Runs that hung, or showed something. */
  readonly faults: readonly string[];
  /** After the first runs: threads, caches and heaps have their size. */
  readonly warm: Holdings;
  readonly last: Holdings;
}

const countOf = (texts: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const text of texts.toSorted()) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
};

function count(): Holdings {
  const { workers, libuv } = process.report.getReport() as DiagnosticReport;
  return {
    rssBytes: process.memoryUsage.rss(),
    threads: workers.length,
    handles: countOf(libuv.map(({ type }) => type).filter((type) => type !== 'timer')),
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
}

/** What the process holds once that no longer changes. */
async function holdings(): Promise<Holdings> {
  let previous = '';
  for (let attempt = 0, same = 0; attempt < SETTLE_ATTEMPTS_MAX && same < SETTLED_AFTER; attempt++) {
    await sleep(SETTLE_MS);
    globalThis.gc?.();
    const { rssBytes: _, ...held } = count();
    same = JSON.stringify(held) === previous ? same + 1 : 0;
    previous = JSON.stringify(held);
  }
  return count();
}

const runs = Number(process.argv[2] ?? 1000);
const arena = await Arena.open();
const faults: string[] = [];
let warm = await holdings();
for (let run = 0; run < runs; run++) {
  const given = ALL_CASES[run % ALL_CASES.length]!;
  if (run === WARM_UP_RUNS) warm = await holdings();
  const { outcome } = await arena.run(given, WALL_MS);
  const leaks = arena.secrets.leaksIn(JSON.stringify(outcome ?? 'it hung'), sourceOf(given));
  if (outcome === undefined || leaks.length > 0) faults.push(`${given.name}: ${leaks.join() || 'hung'}`);
}
const soaked: Soaked = { runs, faults, warm, last: await holdings() };
await arena.close();
process.stdout.write(JSON.stringify(soaked));
