/** Several processes drain one backlog together, and the records say whether each launch was made once. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openCronkeeper } from '../../src/app.ts';
import { freshNamespace } from '../recovery/stage.ts';
import { backlog } from './backlog.ts';
import type { Share } from './process.ts';

const SCRIPT = fileURLToPath(new URL('./process.ts', import.meta.url));

export const SHARDS = 8;

/** One that has not answered by then hangs. */
const PATIENCE_MS = 120_000;

/** Of the launches, so many are made before by each process, apart: fresh processes compile more than they launch. */
const WARM_SHARE = 0.1;

export interface Drained {
  readonly shares: readonly Share[];
  /** From the line that starts them to the last record. */
  readonly durationMs: number;
}

/** @throws Error when a launch is missing or doubled, or was not tried exactly once. */
export async function drain(url: string, processes: number, launches: number, waitMs: number): Promise<Drained> {
  const namespace = freshNamespace();
  const keeper = await openCronkeeper({ url, namespace, shards: SHARDS });
  const crew: Helper[] = [];
  try {
    await keeper.status(); // makes the namespace
    const warm = Math.ceil(launches * WARM_SHARE);
    const settings = [url, namespace, Math.ceil(SHARDS / processes), warm, waitMs];
    for (let i = 0; i < processes; i++) crew.push(new Helper(settings));
    await Promise.all(crew.map((helper) => helper.says()));
    const tasks = backlog(launches, waitMs);
    await keeper.tasks.putMany(tasks);
    for (const helper of crew) helper.go();
    const shares = (await Promise.all(crew.map((helper) => helper.says()))) as Share[];
    const ids = tasks.map(({ id }) => id);
    await holdOnce(keeper, ids, shares);
    const fromMs = Math.min(...shares.map((share) => share.fromMs));
    return { shares, durationMs: Math.max(...shares.map((share) => share.untilMs)) - fromMs };
  } finally {
    for (const helper of crew) helper.end();
    await keeper.close();
  }
}

/** The processes launched each of them once between them; so say the records, each under the fence of one lease. */
async function holdOnce(
  keeper: Awaited<ReturnType<typeof openCronkeeper>>,
  ids: readonly string[],
  shares: readonly Share[],
): Promise<void> {
  const launched = shares.flatMap(({ taskIds }) => taskIds).sort();
  if (launched.join() !== [...ids].sort().join()) {
    throw new Error(`${ids.length} launches were due; ${launched.length} made, ${new Set(launched).size} different`);
  }
  const { holds, launched: recorded, open, problems } = await keeper.verify();
  if (!holds || recorded !== ids.length || open > 0) {
    throw new Error(`the records of ${ids.length} launches: ${recorded}, ${open} open, ${JSON.stringify(problems[0])}`);
  }
}

/** A process that shares, and what it says. */
class Helper {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(settings: readonly (string | number)[]) {
    this.#child = spawn(process.execPath, [SCRIPT, ...settings.map(String)], { timeout: PATIENCE_MS });
    this.#child.stderr?.on('data', (chunk) => {
      this.#errors += chunk;
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  async says(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`a process ended early: ${this.#errors.slice(-2_000)}`);
    return JSON.parse(value);
  }

  go(): void {
    this.#child.stdin?.write('go\n');
  }

  end(): void {
    if (this.#child.exitCode === null) {
      void once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
    }
  }
}
