/**
 * One run, from its first stint to its report. A run that waits for host calls or timers is entered again for each;
 * everything that the guest does arrives at {@link Execution.receive}.
 */
import type { Cancel, Clock } from '../clock.ts';
import { LIMITS } from '../evaluator.ts';
import { allowanceOf } from './allowance.ts';
import type { Value } from './binding.ts';
import type { Board } from './board.ts';
import { type Ask, Errands, type Wake } from './errands.ts';
import { GUEST, TASK_FILE } from './host.ts';
import type { Instance } from './instance.ts';
import { Logbook } from './logbook.ts';
import type { Answer, Order } from './messages.ts';
import type { KnownProgram } from './module-states.ts';
import type { Report } from './outbox.ts';
import { RunClock } from './run-clock.ts';
import { serve } from './services.ts';
import type { Player, Stage } from './stage.ts';
import { Stopwatch } from './stopwatch.ts';
import {
  type Facts,
  fail,
  judgeRefused,
  judgeResult,
  judgeSilence,
  judgeThrown,
  judgeTrap,
  NO_DEFAULT_EXPORT,
  parseGuestError,
  succeed,
  type Verdict,
} from './verdict.ts';

/** What an execution needs of the worker. */
export interface Surroundings {
  readonly clock: Clock;
  readonly board: Board;
  readonly stage: Stage;
  /** Epoch ms with fractions. */
  readonly startedMs: number;
  readonly ask: Ask;
  readonly ended: (report: Report) => void;
}

/** The parser's memory. Not the run's: bytecode is for all runs of the program. */
const COMPILE_ALLOWANCE = { memoryBytes: 64 * 1024 * 1024, stackBytes: LIMITS.stackBytes.max };

export class Execution implements Player {
  readonly #order: Order;
  readonly #known: KnownProgram;
  readonly #surroundings: Surroundings;
  readonly #errands: Errands;
  readonly #logbook: Logbook;
  readonly #stopwatch: Stopwatch;
  /** The run's own time; see run-clock.ts. */
  readonly #own = new RunClock();
  #cancelWallTimer: Cancel | undefined;
  #cancelWakeTimer: Cancel | undefined;
  #peakBytes = 0;

  #phase: 'compiling' | 'linking' | 'running' = 'compiling';
  /** The guest has said or asked something. If not, a module's top level has come to what it comes to in every run. */
  #hasCommuned = false;
  #stopped: Facts['stopped'];
  #verdict: Verdict | undefined;
  #hasReported = false;

  constructor(order: Order, known: KnownProgram, surroundings: Surroundings) {
    this.#order = order;
    this.#known = known;
    this.#surroundings = surroundings;
    this.#stopwatch = new Stopwatch(surroundings.clock, order.limits, surroundings.stage.occupancy);
    this.#logbook = new Logbook(order.limits);
    this.#errands = new Errands(order.limits, surroundings.ask, order.answers);
  }

  start(): void {
    this.#enter((instance) => {
      const bytecode = this.#compile(instance);
      if (bytecode === undefined) return;
      if (this.#order.task === 'check') this.#checkExports(instance);
      else this.#begin(instance, bytecode);
    });
  }

  /** A host call has an answer. */
  reply(call: number, answer: Answer): void {
    if (this.#errands.arrive(call, answer)) this.#enter();
  }

  cancel(): void {
    this.#stop('cancelled');
  }

  crowdOut(): void {
    this.#stop('crowded');
  }

  // What the guest says

  allowance(letter: string): number {
    if (letter === 'D') return this.#order.limits.resultBytes;
    return letter === 'L' ? this.#logbook.room : allowanceOf(letter);
  }

  receive(letter: string, text: string, bytes: number): string | undefined {
    this.#hasCommuned = true;
    if (this.#verdict !== undefined) return undefined;
    switch (letter) {
      case 'D':
        if (this.#phase === 'running') this.#verdict = judgeResult(text, bytes, this.#order.limits);
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
        return this.#errands.call(text, bytes);
      case 'F':
        return this.#errands.fetch(text, bytes);
      case 'S':
        return serve(text);
      case 'R':
        return this.#order.seed;
      case 'T':
        return this.#errands.setTimer(text, this.#own.ms);
      case 'X':
        this.#errands.clearTimer(text);
        break;
    }
    return undefined;
  }

  shouldStop(): boolean {
    this.#stopped ??= this.#stopwatch.exceeded;
    if (this.#surroundings.board.isCancelled(this.#order.seq)) this.#stopped ??= 'cancelled';
    return this.#stopped !== undefined;
  }

  nowMs(): number {
    this.#hasCommuned = true;
    return this.#order.nowMs + this.#own.look();
  }

  elapsedMs(): number {
    this.#hasCommuned = true;
    return this.#own.look();
  }

  // Verdicts

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
    const memory = this.#surroundings.stage.memoryOf(this);
    return {
      stopped: this.#stopped,
      refusedMemory: memory?.wasRefused === true,
      spentStack: () => memory?.hasSpentStack === true,
      told: this.#errands.told,
      unanswered: this.#errands.unanswered,
    };
  }

  // Stints

  /** Enters the engine, lets the run go on until it has run dry, and sees what has become of it. */
  #enter(act?: (instance: Instance) => void): void {
    if (this.#hasReported) return;
    const { board, stage } = this.#surroundings;
    const { limits, seq } = this.#order;
    const { atMs, allowedMs } = this.#stopwatch.enter();
    board.enter(seq, allowedMs);
    try {
      const instance = act === undefined ? stage.resume(this) : stage.enter(this);
      act?.(instance);
      this.#drain(instance, atMs);
    } catch (error) {
      // Whatever the run has said before: an engine that breaks off is not one that has come to its end.
      this.#verdict = judgeTrap(error, this.#facts(), limits);
    }
    board.leave();
    // Code that is refused once more has used nothing: what is there is another run's.
    if (this.#known.refusal === undefined) this.#peakBytes = stage.memoryOf(this)?.usedBytes ?? this.#peakBytes;
    this.#stopwatch.leave();
    if (this.#errands.isLate) this.#stopped ??= 'wall';
    const isOver = this.#stopped !== undefined || this.#errands.isEmpty;
    if (isOver) this.#verdict ??= judgeSilence(this.#facts(), limits);
    if (this.#verdict !== undefined) this.#report(this.#verdict);
    else this.#wakeLater();
  }

  /** Jobs of the engine, and whatever the run is to be woken for by now, until there is nothing left to do. */
  #drain(instance: Instance, horizonMs: number): void {
    while (this.#verdict === undefined) {
      if (this.#errands.diverged !== undefined) {
        this.#verdict = fail('Diverged', this.#errands.diverged);
      } else if (instance.hasJobs) {
        if (this.shouldStop()) return;
        if (!instance.runJob()) this.#failWithException(instance);
      } else {
        const wake = this.#errands.next(this.#own.ms, horizonMs);
        if (wake === undefined || this.shouldStop()) return;
        this.#wake(instance, wake);
      }
    }
  }

  #wake(instance: Instance, wake: Wake): void {
    this.#own.advance(wake.at);
    if ('timer' in wake) this.#callGuest(instance, GUEST.fire, instance.text(wake.timer));
    else this.#callGuest(instance, GUEST.reply, instance.text(`${wake.call}`), instance.text(wake.answer));
  }

  /** Sees to it that the run is woken for its next timer, and ended at its deadline. */
  #wakeLater(): void {
    this.#cancelWakeTimer?.();
    const dueMs = this.#errands.nextTimerMs;
    this.#cancelWakeTimer = dueMs === undefined ? undefined : this.#stopwatch.at(dueMs, () => this.#enter());
    this.#cancelWallTimer ??= this.#stopwatch.atEnd(() => this.#stop('wall'));
  }

  /** Ends a run that is not in the engine. */
  #stop(why: Facts['stopped']): void {
    if (this.#hasReported) return;
    this.#stopped ??= why;
    this.#report(judgeSilence(this.#facts(), this.#order.limits));
  }

  #callGuest(instance: Instance, guestFunction: number, ...args: readonly Value[]): void {
    this.#passed(instance, instance.call(guestFunction, ...args));
  }

  /** False when `value` is an exception; it is then the run's. */
  #passed(instance: Instance, value: Value): boolean {
    if (!instance.isException(value)) return true;
    this.#failWithException(instance);
    return false;
  }

  #failWithException(instance: Instance): void {
    const exception = instance.takeException();
    // What stopped the run comes as an exception, too; then there is nothing to ask the guest.
    if (this.#stopped === undefined) instance.call(GUEST.fail, exception);
  }

  /** Bytecode of the program, or undefined with a verdict. The parser cannot be interrupted, only be ended. */
  #compile(instance: Instance): Buffer | undefined {
    const known = this.#known;
    if (known.bytecode === undefined && known.refusal === undefined) {
      instance.reset(this, COMPILE_ALLOWANCE);
      known.bytecode = instance.compile(known.program.source, known.program.kind);
      if (known.bytecode === undefined) this.#failWithException(instance);
      if (this.#verdict?.failure === 'Syntax') known.refusal = this.#verdict;
    }
    this.#verdict ??= known.refusal;
    return known.bytecode;
  }

  #begin(instance: Instance, bytecode: Buffer): void {
    this.#phase = 'running';
    if (this.#known.program.kind === 'script') this.#beginScript(instance, bytecode);
    else this.#beginModule(instance, bytecode);
  }

  #beginScript(instance: Instance, bytecode: Buffer): void {
    const { context, limits } = this.#order;
    instance.reset(this, limits);
    this.#callGuest(instance, GUEST.begin, instance.text(context));
    if (this.#verdict !== undefined) return;
    const value = instance.run(bytecode);
    if (this.#passed(instance, value)) this.#callGuest(instance, GUEST.script, value);
  }

  #beginModule(instance: Instance, bytecode: Buffer): void {
    const { context, limits } = this.#order;
    const { states } = this.#surroundings.stage;
    const state = states.of(this.#known, limits);
    instance.reset(this, limits, state);
    let namespace = state?.namespace;
    if (namespace === undefined) {
      const value = instance.run(bytecode);
      if (!this.#passed(instance, value)) return;
      // The promise of a module's namespace is fulfilled already, unless the module awaits at its top level.
      namespace = instance.fulfilment(value);
      if (namespace === undefined) {
        this.#callGuest(instance, GUEST.evaluation, instance.text(context), value);
        return;
      }
      if (!this.#hasCommuned && this.#stopped === undefined) {
        states.evaluated(this.#known, limits, this.#stopwatch.wallMs, instance, namespace);
      }
    }
    this.#callGuest(instance, GUEST.module, instance.text(context), namespace);
  }

  /**
   * Whether a module has a default export, asked of the engine's own linker and without running it: an importer wants
   * the default export and a name that no module can have (a module cannot hold its own hash), so linking always
   * fails, before anything is evaluated, and says which of the two was missing.
   */
  #checkExports(instance: Instance): void {
    const { program } = this.#known;
    if (program.kind === 'module') {
      this.#phase = 'linking';
      instance.reset(this, COMPILE_ALLOWANCE);
      const importer = `import { default as task, _${program.hash} as never } from '${TASK_FILE}';`;
      this.#passed(instance, instance.link(importer, program.source));
    }
    this.#verdict ??= succeed('null');
  }

  #report(verdict: Verdict): void {
    this.#hasReported = true;
    this.#cancelWallTimer?.();
    this.#cancelWakeTimer?.();
    const { hostCalls, givenJson: answers } = this.#errands;
    this.#errands.drop();
    this.#surroundings.stage.leave(this, verdict.failure);
    this.#surroundings.ended({
      seq: this.#order.seq,
      startedMs: this.#surroundings.startedMs,
      wallMs: this.#stopwatch.wallMs,
      cpuMs: this.#stopwatch.cpuMs,
      peakBytes: this.#peakBytes,
      hostCalls,
      truncated: this.#logbook.truncated,
      failure: verdict.failure,
      body: verdict.body,
      logs: this.#logbook.toJson(),
      answers,
    });
  }
}
