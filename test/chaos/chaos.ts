/** One run: start everything, let the nemesis work, heal, wait, read, judge. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../../tools/zookeeper-server.ts';
import { Arena, PERIOD_MS, SESSION_TIMEOUT_MS, SHARDS, WORKERS } from './arena.ts';
import { check, undecided } from './checker.ts';
import type { Bounds, CheckedTask } from './evidence.ts';
import { Harvest } from './harvest.ts';
import { Nemesis } from './nemesis.ts';
import { planFaults, plannedLine } from './plan.ts';
import { faultLine, type Result } from './report.ts';
import { checkedTask, HISTORY, LONGEST_RUN_MS, taskDocuments } from './tasks.ts';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly installation: Installation;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** From the registration to the first slot: the workers start meanwhile. */
const LEAD_MS = 5_000;

/** Slots go on for so long after the last fault: does everything run again as if nothing had been? */
const TAIL_MS = 10_000;

const SLACK_MS = 5_000;

/** After the last slot, everything is decided within this: sessions of the dead end, and somebody comes by twice. */
const SETTLED_MS = SESSION_TIMEOUT_MS + 2 * PERIOD_MS + 2 * LONGEST_RUN_MS + SLACK_MS;

/** Beyond that, what two holders were lost with may still wait for its turn: each of these runs alone. */
const SUSPECTS_MS = 60_000;

const BOUNDS: Bounds = {
  graceMs: 2 * SESSION_TIMEOUT_MS + 1_000,
  // A holder that is about to leave starts nothing new until its runs are over; then the next trigger comes.
  calmMs: PERIOD_MS + LONGEST_RUN_MS + SLACK_MS,
  faultyMs: SESSION_TIMEOUT_MS + PERIOD_MS + LONGEST_RUN_MS + SLACK_MS,
  suspectMs: SUSPECTS_MS,
};

const PROGRESS_MS = 10_000;
const HARVEST_MS = 10_000;
const FINAL_READINGS_MAX = 10;
const FINAL_READING_PAUSE_MS = 1_000;

export async function runChaos({ minutes, seed, installation, tell, signal }: ChaosOptions): Promise<Result> {
  const durationMs = Math.round(minutes * 60_000);
  const planned = planFaults({ seed, durationMs, workers: WORKERS, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  tell([`plan of seed ${seed}:`, ...planned.map(plannedLine)].join('\n'));
  await using arena = await Arena.open(installation, (line) => tell(`         ${line}`));
  const startMs = Math.ceil((Date.now() + LEAD_MS) / 1_000) * 1_000;
  const endMs = startMs + durationMs + TAIL_MS;
  const documents = taskDocuments({ origin: arena.listener.origin, startMs, endMs });
  await arena.keeper.tasks.putMany(documents);
  await arena.startWorkers();
  const tasks = documents.map((document) => checkedTask(document, SHARDS));
  const nemesis = new Nemesis({ ...arena, lastHeard: () => arena.heard.last }, signal, (fault) =>
    tell(`         ${faultLine(fault)}`),
  );
  const harvest = new Harvest(
    arena.keeper,
    tasks.map(({ id }) => id),
    HISTORY,
  );
  const progress = () => tell(progressLine(arena, nemesis, harvest, startMs));
  await withHelpers({ harvest, progress }, signal, async () => {
    await nemesis.work(planned, startMs);
    await delay(endMs + SETTLED_MS - Date.now(), undefined, { signal });
    await untilDecided(harvest, tasks, signal);
  });
  await arena.stopWorkers();
  await readAll(harvest, signal);
  return await judge({ minutes, seed }, arena, nemesis, harvest, tasks);
}

/** What goes on beside `act`, until it is over: reading before tasks forget, and a line now and then. */
async function withHelpers(
  { harvest, progress }: { readonly harvest: Harvest; readonly progress: () => void },
  signal: AbortSignal,
  act: () => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const timer = setInterval(progress, PROGRESS_MS);
  const reading = (async () => {
    while (!over.signal.aborted && !signal.aborted) {
      await harvest.read();
      await delay(HARVEST_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    await act();
  } finally {
    clearInterval(timer);
    over.abort();
    await reading;
  }
}

/** A queue that has grown while holders died must be worked off: as long as it gets shorter, nothing is stuck. */
async function untilDecided(harvest: Harvest, tasks: readonly CheckedTask[], signal: AbortSignal): Promise<void> {
  let left = undecided(tasks, harvest.runs);
  for (let deadlineMs = Date.now() + SUSPECTS_MS; left > 0 && Date.now() < deadlineMs; ) {
    await delay(FINAL_READING_PAUSE_MS, undefined, { signal });
    const now = undecided(tasks, harvest.runs);
    if (now < left) deadlineMs = Date.now() + SUSPECTS_MS;
    left = now;
  }
}

/** The last reading is of everything, from servers that nobody harms any more. */
async function readAll(harvest: Harvest, signal: AbortSignal): Promise<void> {
  let unread: readonly string[] = [];
  for (let i = 0; i < FINAL_READINGS_MAX; i++) {
    unread = await harvest.read();
    if (unread.length === 0) return;
    await delay(FINAL_READING_PAUSE_MS, undefined, { signal });
  }
  throw new Error(`could not be read in the end: ${unread.join(', ')}`);
}

async function judge(
  asked: Pick<Result, 'minutes' | 'seed'>,
  { heard, listener, keeper }: Arena,
  nemesis: Nemesis,
  harvest: Harvest,
  tasks: readonly CheckedTask[],
): Promise<Result> {
  const faults = [...nemesis.faults, ...heard.stalls];
  const { invocations, failures, escaped } = heard;
  return {
    ...asked,
    verdict: check({ tasks, marks: listener.marks, runs: harvest.runs, faults, bounds: BOUNDS }),
    faults,
    invocations,
    failedInvocations: Object.fromEntries(failures),
    escaped,
    verification: await keeper.verify(),
  };
}

function progressLine({ heard, listener }: Arena, nemesis: Nemesis, harvest: Harvest, startMs: number): string {
  const seconds = Math.round((Date.now() - startMs) / 1_000);
  const counts = [
    `${nemesis.faults.length} faults`,
    `${listener.marks.length} marks`,
    `${harvest.runs.length} records`,
    `${heard.invocations} invocations`,
  ];
  return `${String(seconds).padStart(5)} s  ${counts.join(', ')}`;
}
