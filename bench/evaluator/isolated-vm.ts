/** The side of the benchmark: asks the process of `isolated-vm`, and knows when there is none. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Absence, Probe, Row } from '../suite.ts';
import type { Question, Reply } from './isolated-vm-process.ts';

const PROCESS = fileURLToPath(new URL('./isolated-vm-process.ts', import.meta.url));

export class IsolatedVmPeer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #absence: Absence | undefined;

  private constructor(process: ChildProcess, absence: Absence | undefined) {
    this.#process = process;
    this.#absence = absence;
  }

  static async start(): Promise<IsolatedVmPeer> {
    // Node's own start-up snapshot and its isolates do not go together.
    const process = fork(PROCESS, { execArgv: ['--no-node-snapshot'] });
    const greeting = await replyOf(process);
    return new IsolatedVmPeer(process, 'absent' in greeting ? greeting.absent : undefined);
  }

  probe(rows: readonly Row[], question: Question): Probe {
    return {
      rows,
      measure: async () => {
        if (this.#absence !== undefined) return this.#absence;
        this.#process.send(question);
        const reply = await replyOf(this.#process);
        return 'numbers' in reply ? reply.numbers : reply.absent;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    await gone;
  }
}

async function replyOf(process: ChildProcess): Promise<Reply> {
  const stop = new AbortController();
  const { signal } = stop;
  const died = async (): Promise<Reply> => {
    const [code, killedBy] = await once(process, 'exit', { signal });
    return { absent: `its process ended with ${code ?? killedBy}` };
  };
  const replied = async (): Promise<Reply> => (await once(process, 'message', { signal }))[0];
  try {
    return await Promise.race([replied(), died()]);
  } finally {
    stop.abort();
  }
}
