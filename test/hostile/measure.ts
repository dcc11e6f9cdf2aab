/**
 * Measures what tests must not assert on a shared machine: how late hostile runs end, how long they hold up the main
 * thread, what memory they leave. By hand: `node test/hostile/measure.ts [part of a name]`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Arena, type Observation, WALL_MS } from './arena.ts';
import type { HostileCase } from './case.ts';
import { CORPUS } from './corpus.ts';
import { judge } from './judge.ts';

const LATE_MS = 300;
const STALL_MS = 100;
const MIB = 2 ** 20;

interface Measure {
  readonly name: string;
  readonly end: string;
  readonly tookMs: number;
  readonly lateMs: number;
  readonly stallMs: number;
  readonly rssMib: number;
  readonly wasKilled: boolean;
  readonly faults: readonly string[];
}

const limitOf = ({ limits, cancelAfterMs }: HostileCase): number => cancelAfterMs ?? limits?.wallMs ?? WALL_MS;
const wasKilled = ({ neighbour }: Observation): boolean => neighbour.error?.class === 'WorkerLost';

async function measure(arena: Arena, name: string, given: HostileCase): Promise<Measure> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const seen = await arena.perform(given);
  delays.disable();
  return {
    name,
    end: seen.outcome?.error?.class ?? 'succeeded',
    tookMs: seen.tookMs,
    lateMs: seen.tookMs - limitOf(given),
    stallMs: delays.max / 1e6,
    rssMib: process.memoryUsage.rss() / MIB,
    wasKilled: wasKilled(seen),
    faults: judge(given, seen, arena.secrets),
  };
}

const wanted = process.argv[2] ?? '';
const cases = [...CORPUS].flatMap(([kind, list]) => list.map((given) => [`${kind}: ${given.name}`, given] as const));
const arena = await Arena.open();
const all: Measure[] = [];
for (const [name, given] of cases) {
  if (!name.includes(wanted)) continue;
  const one = await measure(arena, name, given);
  all.push(one);
  const row = [one.tookMs, one.lateMs, one.stallMs, one.rssMib].map((n) => n.toFixed(0).padStart(6)).join('');
  console.log(`${row} ${one.wasKilled ? 'KILL' : '    '} ${one.end.padEnd(22)} ${name}`);
  for (const fault of one.faults) console.log(`       FAULT ${fault.slice(0, 1000)}`);
}
await arena.close();

const list = (title: string, rows: readonly Measure[]): void =>
  console.log(
    `\n${title}: ${rows.length}\n${rows.map(({ name, lateMs, stallMs }) => `  ${lateMs.toFixed(0)} ${stallMs.toFixed(0)} ${name}`).join('\n')}`,
  );
const most = (of: (one: Measure) => number): string => Math.max(...all.map(of)).toFixed(0);
console.log(
  `\n${all.length} cases; took, late, stall, RSS as above. Highest: late ${most((m) => m.lateMs)} ms, stall ${most((m) => m.stallMs)} ms, RSS ${most((m) => m.rssMib)} MiB`,
);
list(
  `later than limit + ${LATE_MS} ms`,
  all.filter(({ lateMs }) => lateMs > LATE_MS),
);
list(
  `stalls above ${STALL_MS} ms`,
  all.filter(({ stallMs }) => stallMs > STALL_MS),
);
list(
  'ended by force',
  all.filter((one) => one.wasKilled),
);
list(
  'with faults',
  all.filter(({ faults }) => faults.length > 0),
);
