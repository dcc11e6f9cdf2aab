/**
 * One run in one instance, from its first stint to its report. A run that waits for host calls or timers keeps its
 * instance and is entered again for each; everything that the guest does arrives at {@link Execution.receive}.
 */
import type { Cancel, Clock } from '../clock.ts';
import type { Program } from '../evaluator.ts';
import type { Value } from './binding.ts';
import type { Board } from './board.ts';
import { CALL_BYTES, Errands } from './errands.ts';
import { GUEST, type Host, TASK_FILE } from './host.ts';
import type { Instance } from './instance.ts';
import { Logbook } from './logbook.ts';
import type { Answer, CallKind, Order } from './messages.ts';
import type { Report } from './outbox.ts';
import { SERVICE_BYTES, serve } from './services.ts';
import {
  type Facts,
  fail,
  isDeeperThan,
  judgeRefused,
  judgeSilence,
  judgeThrown,
  judgeTrap,
  NO_DEFAULT_EXPORT,
  parseGuestError,
  succeed,
  type Verdict,
} from './verdict.ts';

/** A program in this worker. Its bytecode was made here, by the same engine, and never leaves. */
export interface KnownProgram {
  readonly program: Program;
  bytecode?: Buffer | undefined;
  /** What is wrong with it, once that is known. */
  refusal?: Verdict;
}

/** What an execution needs of the worker. */
export interface Surroundings {
  readonly clock: Clock;
  readonly board: Board;
  /** Epoch ms with fractions. */
  readonly startedMs: number;
  readonly ask: (kind: CallKind, call: string, name: string, args: string) => void;
  readonly ended: (report: Report) => void;
}

const ERROR_BYTES = 64 * 1024;
const LABEL_BYTES = 64;
/** V8 overflows its stack when it writes JSON of some thousand levels, and results are written again and again. */
const RESULT_DEPTH_MAX = 500;
/** The parser's memory. Not the run's: bytecode is for all runs of the program. */
const COMPILE_MEMORY_BYTES = 64 * 1024 * 1024;

export class Execution implements Host {
  readonly #order: Order;
  readonly #instance: Instance;
  readonly #known: KnownProgram;
  readonly #surroundings: Surroundings;
  readonly #errands: Errands;
  readonly #logbook: Logbook;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #wallDeadline: number;
  #cancelWallTimer: Cancel | undefined;
  #deadline = 0;
  #deadlineIs: 'wall' | 'cpu' = 'wall';
  #cpuMs = 0;

  #phase: 'compiling' | 'linking' | 'running' = 'compiling';
  #stopped: Facts['stopped'];
  #verdict: Verdict | undefined;
  #hasReported = false;

  constructor(order: Order, known: KnownProgram, instance: Instance, surroundings: Surroundings) {
    this.#order = order;
    this.#instance = instance;
    this.#known = known;
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock;
    this.#startedAt = this.#clock.elapsed();
    this.#logbook = new Logbook(order.limits);
    this.#wallDeadline = this.#startedAt + order.limits.wallMs;
    this.#errands = new Errands(order.limits, surroundings, (timer) =>
      this.#enter(() => this.#callGuest(GUEST.fire, this.#instance.text(timer))),
    );
  }

  start(): void {
    this.#enter(() => {
      const bytecode = this.#compile();
      if (bytecode === undefined) return;
      if (this.#order.task === 'check') this.#checkExports();
      else this.#begin(bytecode);
    });
  }

  /** A host call has an answer. */
  reply(call: string, answer: Answer): void {
    if (this.#errands.settle(call, answer)) this.#enter(() => this.#answer(call, answer));
  }

  cancel(): void {
    this.#stop('cancelled');
  }

  // What the guest says

  allowance(letter: string): number {
    switch (letter) {
      case 'D':
        return this.#order.limits.resultBytes;
      case 'L':
        return this.#logbook.room;
      case 'N':
      case 'E':
        return ERROR_BYTES;
      case 'C':
      case 'F':
        return CALL_BYTES;
      case 'S':
        return SERVICE_BYTES;
      default:
        return LABEL_BYTES;
    }
  }

  receive(letter: string, text: string, bytes: number): string | undefined {
    if (this.#verdict !== undefined) return undefined;
    switch (letter) {
      case 'D':
        this.#verdict = this.#phase === 'running' ? this.#judgeResult(text, bytes) : undefined;
        break;
      case 'N':
      case 'E':
        this.#verdict = this.#judgeError(letter, text);
        break;
      case 'M':
        this.#verdict = NO_DEFAULT_EXPORT;
        break;
      case 'L':
        this.#logbook.write(text, bytes);
        break;
      case 'C':
        this.#errands.call(text, bytes);
        break;
      case 'F':
        this.#errands.fetch(text, bytes);
        break;
      case 'S':
        return serve(text);
      case 'T':
        return this.#errands.setTimer(text);
      case 'X':
        this.#errands.clearTimer(text);
        break;
    }
    return undefined;
  }

  shouldStop(): boolean {
    if (this.#clock.elapsed() > this.#deadline) this.#stopped ??= this.#deadlineIs;
    else if (this.#surroundings.board.isCancelled(this.#order.seq)) this.#stopped ??= 'cancelled';
    return this.#stopped !== undefined;
  }

  nowMs(): number {
    return this.#order.nowMs + this.elapsedMs();
  }

  elapsedMs(): number {
    return this.#clock.elapsed() - this.#startedAt;
  }

  // Verdicts

  #judgeResult(json: string, bytes: number): Verdict {
    const { resultBytes } = this.#order.limits;
    if (bytes > resultBytes) {
      return fail('ResultTooLarge', `the result has ${bytes} bytes as JSON; ${resultBytes} are allowed`);
    }
    if (isDeeperThan(json, RESULT_DEPTH_MAX)) {
      return fail('ResultTooLarge', `the result is nested more than ${RESULT_DEPTH_MAX} levels deep`);
    }
    return succeed(json);
  }

  #judgeError(letter: 'N' | 'E', json: string): Verdict {
    const error = parseGuestError(json);
    const verdict = judgeThrown(error, this.#facts(), this.#order.limits);
    if (verdict.failure !== 'Thrown') return verdict;
    if (letter === 'N') return fail('ResultNotSerializable', error);
    if (this.#phase === 'running') return verdict;
    if (this.#phase === 'compiling') return judgeRefused(error);
    // Of the two names that the importer wants, the linker misses this one first: see #checkExports.
    return error.message.includes("'default'") ? NO_DEFAULT_EXPORT : succeed('null');
  }

  #facts(): Facts {
    const instance = this.#instance;
    return {
      stopped: this.#stopped,
      refusedMemory: instance.wasRefusedMemory,
      spentStack: () => instance.hasSpentStack,
      denied: this.#errands.denied,
    };
  }

  // Stints

  /** Enters the engine, lets it go on until it has run dry, and sees what has become of the run. */
  #enter(act: () => void): void {
    if (this.#hasReported) return;
    const { board } = this.#surroundings;
    const { limits, seq } = this.#order;
    const enteredAt = this.#clock.elapsed();
    const cpuDeadline = enteredAt + limits.cpuMs - this.#cpuMs;
    this.#deadlineIs = cpuDeadline < this.#wallDeadline ? 'cpu' : 'wall';
    this.#deadline = Math.min(cpuDeadline, this.#wallDeadline);
    board.enter(seq, this.#deadline - enteredAt);
    try {
      act();
      this.#drain();
    } catch (error) {
      this.#verdict ??= judgeTrap(error, this.#facts(), limits);
    }
    board.leave();
    this.#cpuMs += this.#clock.elapsed() - enteredAt;
    const isOver = this.#stopped !== undefined || this.#errands.isEmpty;
    if (isOver) this.#verdict ??= judgeSilence(this.#facts(), limits);
    if (this.#verdict !== undefined) this.#report(this.#verdict);
    else if (this.#cancelWallTimer === undefined) this.#expireLater();
  }

  /** Jobs of the engine, and answers that are there already, until there is nothing left to do. */
  #drain(): void {
    const instance = this.#instance;
    while (this.#verdict === undefined) {
      if (instance.hasJobs) {
        if (this.shouldStop()) return;
        if (!instance.runJob()) this.#failWithException();
      } else {
        const answer = this.#errands.nextAnswer();
        if (answer === undefined) return;
        this.#answer(...answer);
      }
    }
  }

  /** Ends the run at its deadline, and never before: timers may be early by a millisecond. */
  #expireLater(): void {
    const leftMs = this.#wallDeadline - this.#clock.elapsed();
    if (leftMs <= 0) this.#stop('wall');
    else this.#cancelWallTimer = this.#clock.after(leftMs, () => this.#expireLater());
  }

  /** Ends a run that is not in the engine. */
  #stop(why: Facts['stopped']): void {
    if (this.#hasReported) return;
    this.#stopped ??= why;
    this.#report(judgeSilence(this.#facts(), this.#order.limits));
  }

  #answer(call: string, answer: Answer): void {
    this.#callGuest(GUEST.reply, this.#instance.text(call), this.#instance.text(answer));
  }

  #callGuest(guestFunction: number, ...args: readonly Value[]): void {
    this.#passed(this.#instance.call(guestFunction, ...args));
  }

  /** False when `value` is an exception; it is then the run's. */
  #passed(value: Value): boolean {
    if (!this.#instance.isException(value)) return true;
    this.#failWithException();
    return false;
  }

  #failWithException(): void {
    const instance = this.#instance;
    const exception = instance.takeException();
    // What stopped the run comes as an exception, too; then there is nothing to ask the guest.
    if (this.#stopped === undefined) instance.call(GUEST.fail, exception);
  }

  /** Bytecode of the program, or undefined with a verdict. The parser cannot be interrupted, only be ended. */
  #compile(): Buffer | undefined {
    const known = this.#known;
    if (known.bytecode === undefined && known.refusal === undefined) {
      this.#instance.reset(this, COMPILE_MEMORY_BYTES);
      known.bytecode = this.#instance.compile(known.program.source, known.program.kind);
      if (known.bytecode === undefined) this.#failWithException();
      if (this.#verdict?.failure === 'Syntax') known.refusal = this.#verdict;
    }
    this.#verdict ??= known.refusal;
    return known.bytecode;
  }

  #begin(bytecode: Buffer): void {
    const [instance, order] = [this.#instance, this.#order];
    const isScript = this.#known.program.kind === 'script';
    this.#phase = 'running';
    instance.reset(this, order.limits.memoryBytes);
    const seed = instance.text(`${order.seed}`);
    this.#callGuest(GUEST.begin, instance.text(order.context), seed, instance.boolean(isScript));
    if (this.#verdict !== undefined) return;
    const value = instance.run(bytecode);
    if (!this.#passed(value)) return;
    if (isScript) {
      this.#callGuest(GUEST.script, value);
      return;
    }
    // The promise of a module's namespace is fulfilled already, unless the module awaits at its top level.
    const namespace = instance.fulfilment(value);
    if (namespace === undefined) this.#callGuest(GUEST.evaluation, value);
    else this.#callGuest(GUEST.module, namespace);
  }

  /**
   * Whether a module has a default export, asked of the engine's own linker and without running it: an importer wants
   * the default export and a name that no module can have (a module cannot hold its own hash), so linking always
   * fails, before anything is evaluated, and says which of the two was missing.
   */
  #checkExports(): void {
    const { program } = this.#known;
    if (program.kind === 'module') {
      this.#phase = 'linking';
      this.#instance.reset(this, COMPILE_MEMORY_BYTES);
      const importer = `import { default as task, _${program.hash} as never } from '${TASK_FILE}';`;
      this.#passed(this.#instance.link(importer, program.source));
    }
    this.#verdict ??= succeed('null');
  }

  #report(verdict: Verdict): void {
    const [instance, order] = [this.#instance, this.#order];
    this.#hasReported = true;
    this.#cancelWallTimer?.();
    this.#errands.drop();
    instance.release(verdict.failure === undefined);
    this.#surroundings.ended({
      seq: order.seq,
      startedMs: this.#surroundings.startedMs,
      wallMs: this.elapsedMs(),
      cpuMs: this.#cpuMs,
      peakBytes: instance.usedBytes,
      hostCalls: this.#errands.hostCalls,
      truncated: this.#logbook.truncated,
      ...verdict,
      logs: this.#logbook.toJson(),
    });
  }
}
