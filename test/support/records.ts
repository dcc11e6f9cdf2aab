/** A keeper whose tasks can ask an oracle, and the launches that it records. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type Cronkeeper, type CronkeeperOptions, openCronkeeper } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { openEmbedded } from '../../src/coordinator/embedded.ts';
import type { Coordinator } from '../../src/coordinator.ts';
import { createQuickJsEvaluator } from '../../src/evaluator/quickjs.ts';
import type { Evaluator } from '../../src/evaluator.ts';
import { createLayout } from '../../src/layout.ts';
import type { TaskDocument } from '../../src/task.ts';
import type { Run } from '../../src/view.ts';

const layout = createLayout('default', 8);

/** Where the task of these tests is kept. */
export const RECORD_PATH = layout.task('task');
const CHUNK_PATH = layout.chunk('task', 0);

type StoredRun = Record<string, unknown>;
type ChangeRun = (run: StoredRun) => StoredRun;
type StoredRecord = { readonly runs: readonly StoredRun[] } & Record<string, unknown>;

export const ORACLE = { capabilities: { call: ['oracle'] } };

export const document = (code: string, rest: Partial<TaskDocument> = {}): TaskDocument => ({
  id: 'task',
  schedule: { every: '1h' },
  code,
  retry: { attempts: 1 },
  ...rest,
});

export class Records {
  #keeper: Cronkeeper | undefined;
  #coordinator: Coordinator | undefined;
  #evaluator: Evaluator | undefined;
  /** What the oracle was asked. */
  asked: unknown[] = [];

  /** New ones for every test of the file. */
  static use(): Records {
    const records = new Records();
    beforeAll(async () => {
      records.#evaluator = await createQuickJsEvaluator();
    });
    beforeEach(async () => {
      records.asked = [];
      records.#coordinator = openEmbedded({ path: undefined, sessionTimeoutMs: 10_000, clock: systemClock });
      records.#keeper = await records.open();
    });
    afterEach(async () => {
      await records.#keeper?.close();
      await records.#coordinator?.close();
    });
    afterAll(() => records.#evaluator?.close());
    return records;
  }

  get keeper(): Cronkeeper {
    return present(this.#keeper);
  }

  get coordinator(): Coordinator {
    return present(this.#coordinator);
  }

  /** Another keeper of the same tasks; whoever opens it closes it. */
  open(options: Partial<CronkeeperOptions> = {}): Promise<Cronkeeper> {
    const [coordinator, evaluator] = [this.coordinator, present(this.#evaluator)];
    const capabilities = { oracle: (question: unknown) => this.#oracle(question) };
    return openCronkeeper({ url: 'embedded:', coordinator, evaluator, capabilities, ...options });
  }

  /** Answers every question with its number, or not at all. */
  async #oracle(question: unknown): Promise<unknown> {
    this.asked.push(question);
    if (question === 'refuse') throw new Error('the oracle is silent');
    return { question, answer: this.asked.length };
  }

  /** Launches the task by hand, as often as inputs are given; the latest run first. */
  async launched(task: TaskDocument, ...inputs: readonly object[]): Promise<Run[]> {
    await this.keeper.tasks.put(task);
    for (const input of inputs.length === 0 ? [{}] : inputs) await this.relaunched(task.id, input);
    return [...(await this.keeper.tasks.runs(task.id)).items];
  }

  async relaunched(id: string, request: object = {}): Promise<Run> {
    await this.keeper.tasks.run(id, request);
    await this.keeper.tick();
    return (await this.keeper.tasks.runs(id)).items[0] as Run;
  }

  /** The stored runs of the task, as some program left them. */
  rewrite(change: ChangeRun): Promise<void> {
    return this.#store(({ runs, ...record }) => [{ ...record, runs: runs.map(change) }]);
  }

  /** Likewise, and as those of a time that is past. */
  moveToChunk(change: ChangeRun): Promise<void> {
    return this.#store(({ runs, ...record }) => [
      { ...record, runs: [], chunks: [{ index: 0, count: runs.length }] },
      runs.map(change),
    ]);
  }

  async #store(change: (record: StoredRecord) => readonly [record: object, chunk?: object]): Promise<void> {
    const session = await this.coordinator.connect();
    const node = present(await session.get(RECORD_PATH));
    const [record, chunk] = change(JSON.parse(node.data));
    await session.multi([
      { op: 'set', path: RECORD_PATH, version: node.version, data: JSON.stringify(record) },
      ...(chunk === undefined ? [] : [{ op: 'create', path: CHUNK_PATH, data: JSON.stringify(chunk) } as const]),
    ]);
    await session.close();
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is set up before each test');
  return value;
}
