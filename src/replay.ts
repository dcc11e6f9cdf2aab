/**
 * Repeats recorded runs. What is needed is read from the task's record, its history and its code; the run itself takes
 * place in the sandbox with the recorded answers, so it reaches nobody, and nothing of it is stored.
 */
import type { Session } from './coordinator.ts';
import { invalidDocument } from './document.ts';
import { CronkeeperError, received } from './errors.ts';
import type { Evaluator, Run } from './evaluator.ts';
import { formatInstant } from './instant.ts';
import { jsonProblem } from './json.ts';
import { type Outcome, slotOfLaunch } from './launch.ts';
import type { Layout } from './layout.ts';
import { readRuns } from './listing.ts';
import type { Given, RunRecord, TaskRecord } from './record.ts';
import { attemptOf, differencesOf, type Recording, runOf, SEEN_TOO_MUCH } from './recording.ts';
import { isRunSound } from './soundness.ts';
import type { CodeCache } from './store.ts';
import type { Replay, ReplayOptions } from './tasks.ts';
import { runView } from './view.ts';

/** Where recorded runs are. */
export interface Archive {
  readonly session: Session;
  readonly layout: Layout;
  readonly code: CodeCache;
}

/** A run as it was recorded, and what it takes to repeat it. */
export interface Recorded {
  readonly taskId: string;
  readonly run: RunRecord;
  readonly recording: Recording;
}

/** @throws CronkeeperError `not-found`, `too-large`, `invalid`: see {@link Replays.replay}. */
export async function findRecorded(
  { session, layout, code }: Archive,
  id: string,
  launchId: string,
  options: ReplayOptions,
): Promise<Recorded> {
  assertReplayOptions(options);
  const slotMs = slotOf(id, launchId);
  const { record, runs } = await readRuns(session, layout, id);
  const run = attemptAt(runs, slotMs, launchId, options.attempt);
  const given = givenTo(run, launchId);
  const input = inputOf(record, run, given.seen, options);
  const source = options.code ?? (await code.load(session, layout, [given.code])).get(given.code)?.source;
  if (source === undefined) {
    throw notFound(
      `${nameOf(run, launchId)}: its code ${given.code} is not stored any more; replay it with other code`,
    );
  }
  const { state = null, answers = [] } = given.seen;
  const nowMs = run.startedMs - (given.waitedMs ?? 0);
  return {
    taskId: id,
    run,
    recording: { ...attemptOf(record.task, run, { input, state }), code: source, nowMs, answers },
  };
}

export async function replayRecorded(
  evaluator: Evaluator,
  { taskId, run, recording }: Recorded,
  { signal, ...changes }: ReplayOptions,
): Promise<Replay> {
  const outcome = await outcomeOf(evaluator, runOf(recording, changes), signal);
  const differences = differencesOf(run, outcome);
  return { recorded: runView(taskId, run), outcome, same: differences.length === 0, differences };
}

async function outcomeOf(evaluator: Evaluator, run: Run, signal: AbortSignal | undefined): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  await evaluator.run(
    [run],
    (_, { startedMs: __, hasStarted: ___, answers: ____, ...outcome }) => resolve(outcome),
    signal,
  );
  return promise;
}

/** The slot that a launch's name names. */
function slotOf(id: string, launchId: unknown): number {
  const slotMs = slotOfLaunch(id, launchId);
  if (slotMs !== undefined) return slotMs;
  const message = `received ${received(launchId)}; allowed: the id of a launch of this task, such as ${id}@1767225600000`;
  throw invalidDocument('replay request', [{ field: 'launchId', message }]);
}

/** Runs come newest first, so the first that matches is the last attempt. */
function attemptAt(
  runs: readonly RunRecord[],
  slotMs: number,
  launchId: string,
  attempt: number | undefined,
): RunRecord {
  const ofLaunch = runs.filter((run) => isAt(run, slotMs));
  if (ofLaunch.length === 0) throw notFound(`launch ${launchId} is not among the ${runs.length} runs that are kept`);
  const run = attempt === undefined ? ofLaunch[0] : ofLaunch.find((each) => each.attempt === attempt);
  if (run !== undefined) return run;
  const kept = ofLaunch.map((each) => each.attempt).toReversed();
  throw notFound(`launch ${launchId}: attempt ${attempt} is not kept; kept: ${kept.join(', ')}`);
}

/** A skipped range stands for all of its slots. */
const isAt = ({ slotMs, lastSlotMs }: RunRecord, wantedMs: number): boolean =>
  lastSlotMs === undefined ? slotMs === wantedMs : slotMs <= wantedMs && wantedMs <= lastSlotMs;

type Repeatable = Given & { readonly seen: Exclude<Given['seen'], 'too-large' | undefined> };

function givenTo(run: RunRecord, launchId: string): Repeatable {
  const { status, reason, code, waitedMs, seen = {} } = run;
  const name = nameOf(run, launchId);
  if (!isRunSound(run)) throw new CronkeeperError('corrupt', `${name}: what is stored of it is not sound`);
  if (status === 'skipped') throw notFound(`launch ${launchId} was skipped (${reason}): nothing ran`);
  if (status === 'uncertain') throw notFound(`${name} is uncertain (${reason})`);
  if (run.error?.name === 'HolderLost') throw notFound(`${name}: its holder did not live to record it`);
  if (code === undefined)
    throw notFound(`${name} was recorded by an older program, which kept too little to repeat it`);
  if (seen === 'too-large') throw new CronkeeperError('too-large', `${name}: ${SEEN_TOO_MUCH}`);
  return { code, seen, ...(waitedMs !== undefined && { waitedMs }) };
}

/** The run's own input, or the task's, if it is still the same one. */
function inputOf(record: TaskRecord, run: RunRecord, seen: Repeatable['seen'], { input }: ReplayOptions): unknown {
  if (input !== undefined) return input;
  if (Object.hasOwn(seen, 'input')) return seen.input;
  const { task, inputRevision = 1 } = record;
  if (run.revision >= inputRevision) return task.input;
  const when = `revision ${inputRevision}, and this run was of revision ${run.revision} (${formatInstant(run.startedMs)})`;
  const message = `needed: the task's input has changed with ${when}`;
  throw invalidDocument('replay request', [{ field: 'input', message }]);
}

const nameOf = ({ attempt }: RunRecord, launchId: string): string => `attempt ${attempt} at launch ${launchId}`;

const notFound = (message: string): CronkeeperError => new CronkeeperError('not-found', message);

function assertReplayOptions({ attempt, code, input, state }: ReplayOptions): void {
  const refuse = (field: string, value: unknown, allowed: string): never => {
    throw invalidDocument('replay request', [{ field, message: `received ${received(value)}; allowed: ${allowed}` }]);
  };
  if (attempt !== undefined && !(Number.isSafeInteger(attempt) && attempt >= 1)) {
    refuse('attempt', attempt, 'a whole number, 1 or more');
  }
  if (code !== undefined && typeof code !== 'string') refuse('code', code, 'JavaScript source text');
  for (const [field, value] of Object.entries({ input, state })) {
    const problem = value === undefined ? undefined : jsonProblem(value);
    if (problem !== undefined) throw invalidDocument('replay request', [{ field, message: problem }]);
  }
}
