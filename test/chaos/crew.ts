/** The workers: processes that are started, killed and frozen, and what they say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Guardian } from '../../tools/guardian.ts';
import { projectRoot } from '../../tools/imports.ts';
import type { Said, Told, WorkerSettings } from './protocol.ts';

const PROGRAM = join(projectRoot, 'test/chaos/worker.ts');
const STDERR_CHARS_MAX = 4_000;

export interface WorkerOptions {
  readonly index: number;
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly settings: WorkerSettings;
  readonly guardian: Guardian;
  readonly onSaid: (worker: number, said: Said) => void;
  /** Told what it said last, when it ended though nobody had asked it to. */
  readonly onDied: (worker: number, why: string) => void;
}

export class Worker {
  readonly index: number;
  isFrozen = false;
  /** Emits `dialled`: a run in it speaks to the listener. */
  readonly #events = new EventEmitter();
  readonly #options: WorkerOptions;
  #process: ChildProcess | undefined;
  /** It is to end. */
  #isOver = false;

  constructor(options: WorkerOptions) {
    this.index = options.index;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  async start(): Promise<void> {
    const { bundle, environment, settings, guardian, index, onSaid, onDied } = this.#options;
    const args = ['--no-warnings', PROGRAM, bundle, JSON.stringify(settings)];
    // In a process group of its own: a Ctrl-C in the terminal is for us.
    const child = spawn(process.execPath, args, { env: environment, stdio: 'pipe', detached: true });
    await once(child, 'spawn');
    const pid = child.pid as number;
    guardian.watch(pid);
    this.#process = child;
    this.#isOver = false;
    this.isFrozen = false;
    let stderr = '';
    child.once('exit', (code, signal) => {
      guardian.forget(pid);
      this.#process = undefined;
      if (!this.#isOver) onDied(index, `ended by itself (${signal ?? code}): ${stderr}`);
    });
    child.stdin.on('error', () => {}); // it was killed
    child.stderr.on('data', (bytes: Buffer) => {
      stderr = (stderr + bytes.toString()).slice(-STDERR_CHARS_MAX);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = saidIn(line);
      if (said === undefined) return;
      if (said.kind === 'dialled') this.#events.emit('dialled');
      onSaid(index, said);
    });
  }

  tell(told: Told): void {
    this.#process?.stdin?.write(`${JSON.stringify(told)}\n`);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    this.#isOver = true;
    child.kill('SIGKILL');
    await gone;
  }

  freeze(): void {
    this.isFrozen = true;
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.isFrozen = false;
    this.#process?.kill('SIGCONT');
  }

  /** Until a run in it speaks to the listener, or `timeoutMs` is over. */
  async inRun(timeoutMs: number): Promise<void> {
    await once(this.#events, 'dialled', { signal: AbortSignal.timeout(timeoutMs) }).catch(() => undefined);
  }

  /** Lets it finish what it does, for as long as `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(timeoutMs) }).catch(() => undefined);
    this.#isOver = true;
    this.tell({ kind: 'stop' });
    await gone;
    await this.kill();
  }
}

/** Lines of the handler's log are between ours; the last line of one that was killed may be half. */
function saidIn(line: string): Said | undefined {
  if (!line.startsWith('{"chaos":')) return undefined;
  try {
    return (JSON.parse(line) as { chaos: Said }).chaos;
  } catch {
    return undefined;
  }
}
