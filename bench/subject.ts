/**
 * A process of its own in which something is measured: one round must not inherit the heap, the compiled code and the
 * timers of another. It is asked in lines of JSON, `{"ask": name, …}`, and answers each with one: `{"answer"}` or
 * `{"error"}`. See `serve.ts` for the other side.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** One that has not answered by then hangs. */
const PATIENCE_MS = 600_000;
const ERROR_CHARS = 4_000;

export class Subject implements AsyncDisposable {
  readonly #always: object;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  /** @param always is a part of every request. */
  constructor(script: string, always: object = {}) {
    this.#always = always;
    const env = { ...process.env, NODE_NO_WARNINGS: '1' };
    this.#child = spawn(process.execPath, [script], { env, timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    this.#child.stdin?.on('error', () => {}); // it is gone: `ask` says so
    this.#child.stderr?.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-ERROR_CHARS);
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  }

  /** @throws Error when it failed, or ended before it answered. */
  async ask<T>(what: string, request: object): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify({ ask: what, ...this.#always, ...request })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${what}: the process ended early: ${this.#errors}`);
    const { answer, error } = JSON.parse(value) as { answer: T; error?: string };
    if (error !== undefined) throw new Error(`${what}: ${error}`);
    return answer;
  }

  /** Resolves when the process is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
