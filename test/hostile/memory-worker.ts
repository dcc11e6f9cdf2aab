/**
 * Runs cases in its own thread, as the evaluator's worker does, and after each sets the memory back and compares every
 * byte of it, and every global of the module, with what they were before any run. It says so after each case; when it
 * says nothing for long, a case hangs in a built-in function.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock as clock } from '../../src/clock.ts';
import type { EngineExports } from '../../src/evaluator/binding.ts';
import { Board } from '../../src/evaluator/board.ts';
import { answerCall } from '../../src/evaluator/capability.ts';
import { loadEngine } from '../../src/evaluator/engine.ts';
import { Execution } from '../../src/evaluator/execution.ts';
import { NOBODY } from '../../src/evaluator/host.ts';
import type { Report } from '../../src/evaluator/outbox.ts';
import { type Player, Stage } from '../../src/evaluator/stage.ts';
import { DEFAULT_LIMITS, LIMITS } from '../../src/evaluator.ts';
import { programOf } from '../../src/program.ts';
import { type HostileCase, sourceOf } from './case.ts';
import { ALL_CASES } from './corpus.ts';

/** What the thread says. */
export type FromMemoryWorker =
  /** `sees`: differences found when one byte in unused memory was changed on purpose. */
  | { readonly type: 'ready'; readonly sees: readonly string[] }
  | {
      readonly type: 'compared';
      readonly index: number;
      /** What is not as it was. */
      readonly differences: readonly string[];
      /** The engine was thrown away after the run: its memory is new. */
      readonly isNew: boolean;
    };

const WALL_MS = 60;
/** Below what makes the evaluator throw an instance away: the memory of bombs is to be compared, too. */
const MEMORY_BYTES = 6 * 1024 * 1024;
const LIMITS_OF_RUN = { ...DEFAULT_LIMITS, wallMs: WALL_MS, cpuMs: WALL_MS, memoryBytes: MEMORY_BYTES };
const UNUSED_AT = 768 * 1024;
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Every engine that was made, newest last: its exports are not for others to see, but for this. */
const engines: EngineExports[] = [];
const { Instance } = WebAssembly;
Object.defineProperty(WebAssembly, 'Instance', {
  value: class extends Instance {
    constructor(module: WebAssembly.Module, imports: object) {
      super(module, imports);
      engines.push(this.exports as unknown as EngineExports);
    }
  },
});

interface State {
  readonly bytes: Buffer;
  readonly globals: Readonly<Record<string, number>>;
}

/** Stands on the stage between runs, and does nothing. */
const probe: Player = { ...NOBODY, crowdOut: () => {} };

/** Everything that a run can change, once it was set back for the next one. */
function stateOf(stage: Stage): State {
  const instance = stage.enter(probe);
  instance.reset(probe, { memoryBytes: MEMORY_BYTES, stackBytes: LIMITS.stackBytes.max });
  const { memory, __stack_pointer, pages, limit, refused } = engines.at(-1)!;
  const globals = { stackPointer: __stack_pointer, pages, limit, refused };
  const state = {
    bytes: Buffer.from(memory.buffer),
    globals: Object.fromEntries(Object.entries(globals).map(([name, { value }]) => [name, Number(value)])),
  };
  stage.leave(probe, undefined);
  return state;
}

function differences(pristine: State, now: State): string[] {
  const { length } = pristine.bytes;
  const found: string[] = [];
  if (!now.bytes.subarray(0, length).equals(pristine.bytes)) {
    const at = now.bytes.findIndex((byte, index) => byte !== pristine.bytes[index]);
    found.push(`byte ${at} is ${now.bytes[at]}, not ${pristine.bytes[at]}`);
  }
  const beyond = now.bytes.subarray(length);
  if (beyond.length > 0 && !beyond.equals(Buffer.alloc(beyond.length))) {
    found.push(`byte ${length + beyond.findIndex((byte) => byte !== 0)} is beyond the pristine memory, and not zero`);
  }
  for (const [name, value] of Object.entries(now.globals)) {
    if (value !== pristine.globals[name]) found.push(`${name} is ${value}, not ${pristine.globals[name]}`);
  }
  return found;
}

/** What is found with one byte changed where the engine has nothing, between its stack and its data. */
function differencesWhenTouched(): string[] {
  const now = stateOf(stage);
  now.bytes[UNUSED_AT] = 1;
  const found = differences(pristine, now);
  now.bytes[UNUSED_AT] = 0;
  return found;
}

function perform(stage: Stage, board: Board, seq: number, given: HostileCase): Promise<Report> {
  const program = programOf(sourceOf(given));
  const capabilities = {
    add: (a: number, b: number) => a + b,
    echo: (value: unknown) => value,
    slow: () => new Promise(() => {}),
    boom: () => Promise.reject(new Error('boom')),
  };
  const context = JSON.stringify(['hostile', '', 1, 7, 'hostile@', given.input ?? { a: 1 }, null]);
  const order = {
    seq,
    task: 'run',
    hash: program.hash,
    context,
    nowMs: NOW_MS,
    notBeforeMs: 0,
    seed: '1',
    limits: LIMITS_OF_RUN,
  } as const;
  return new Promise((resolve) => {
    const execution: Execution = new Execution(
      order,
      { program },
      {
        clock,
        board,
        stage,
        startedMs: NOW_MS,
        ask: (_kind, call, name, args) =>
          void answerCall(capabilities, name, args).then((answer) => execution.reply(call, answer)),
        ended: resolve,
      },
    );
    board.start(seq);
    execution.start();
  });
}

if (parentPort === null) throw new Error('this file is a worker thread');
const say = (message: FromMemoryWorker): void => parentPort?.postMessage(message);
const { module, guest } = await loadEngine();
const stage = new Stage(module, guest);
const board = new Board();
const first = stateOf(stage);
const pristine: State = { ...first, bytes: Buffer.from(first.bytes) };
say({ type: 'ready', sees: differencesWhenTouched() });
for (let index = Number(workerData); index < ALL_CASES.length; index++) {
  const made = engines.length;
  await perform(stage, board, index + 1, ALL_CASES[index]!);
  const found = differences(pristine, stateOf(stage));
  say({ type: 'compared', index, differences: found, isNew: engines.length > made });
}
