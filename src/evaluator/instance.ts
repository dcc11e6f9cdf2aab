/**
 * One QuickJS in one WebAssembly instance: what a run can ask of the engine, and what the engine asks of the run.
 * Runs take turns in it; what one of them can change is memory, and memory.ts sets that back.
 */
import type { CodeKind } from '../evaluator.ts';
import { type EngineExports, instantiate, type Value } from './binding.ts';
import type { Frames } from './frames.ts';
import { GUEST, type Guest, type Host, NOBODY, TASK_FILE } from './host.ts';
import { type Allowance, EngineMemory, type PristineMemory, type SavedMemory, STACK_TOP } from './memory.ts';
import type { ModuleState } from './module-states.ts';

/** The engine's own limit at boot; {@link Allowance.stackBytes} may be less. */
const STACK_BYTES = 256 * 1024;
const WORD_BYTES = 16;
const MODULE_NAME_BYTES = 1024;

const EVAL_SCRIPT = 0;
const EVAL_MODULE = 1;
const STRIP_SOURCE = 1 << 4;
/** The guest's compiler may have as much as it likes. */
const BOOT_BYTES = 64 * 1024 * 1024;
/** With this message, the core asks for a chapter. The answer is a function, so it is none of the run's business. */
const CHAPTER = 'B';
const CHAPTER_NAME_BYTES = 64;
const FULFILLED = 1;

/** Memory after boot, and where things lie in it. The same for every instance of a module. */
export interface Pristine {
  readonly memory: PristineMemory;
  /** The core's functions. */
  readonly guest: readonly Value[];
  /** Bytecode by name. */
  readonly chapters: ReadonlyMap<string, Buffer>;
  readonly undefined: Value;
  /** Room for a number that the engine returns by address. */
  readonly word: number;
  readonly arguments: number;
  /** The names of two files: the task's, and that of whoever imports it in {@link Instance.link}. */
  readonly file: number;
  readonly importer: number;
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export class Instance {
  readonly #engine: EngineExports;
  readonly #memory: EngineMemory;
  readonly #pristine: Pristine;
  #host: Host = NOBODY;
  /** The task's module, while somebody links against it. */
  #linkable: string | undefined;

  /** An instance of `module`; with `guest` it boots, with `pristine` it is a copy of one that has booted. */
  constructor(module: WebAssembly.Module, from: { readonly guest: Guest } | { readonly pristine: Pristine }) {
    this.#engine = instantiate(module, {
      message: (count, at) => this.#message(count, at),
      shouldStop: () => this.#host.shouldStop(),
      normalizeModule: (nameAt) => this.#memory.allocate(this.#memory.cString(nameAt, MODULE_NAME_BYTES)),
      loadModule: (nameAt, lengthAt) => this.#loadModule(nameAt, lengthAt),
      freeValue: (value) => this.#engine.qjs_free_value(value),
      writeClock: (isMonotonic, at) => {
        const ms = isMonotonic ? this.#host.elapsedMs() : this.#host.nowMs();
        this.#memory.bytes.writeBigUInt64LE(BigInt(Math.floor(ms * 1e6)), at);
      },
      zero: (at, bytes) => this.#memory.bytes.fill(0, at, at + bytes),
    });
    this.#memory = new EngineMemory(this.#engine);
    if ('guest' in from) {
      this.#pristine = this.#boot(from.guest);
    } else {
      this.#pristine = from.pristine;
      this.#memory.adopt(from.pristine.memory);
    }
  }

  get pristine(): Pristine {
    return this.#pristine;
  }

  /** What it knows of its memory, to be looked at and not to be changed. */
  get memory(): Pick<EngineMemory, 'bytes' | 'isBloated' | 'usedBytes' | 'wasRefused' | 'hasSpentStack'> {
    return this.#memory;
  }

  /** Pristine, for a run of `host` within `allowance`; or as a module's evaluation has left it. */
  reset(host: Host, allowance: Allowance, state?: ModuleState): void {
    this.#memory.reset(allowance, state?.memory);
    if (allowance.stackBytes !== STACK_BYTES) this.#engine.qjs_set_max_stack_size(allowance.stackBytes);
    this.#host = host;
    this.#linkable = undefined;
  }

  /** How the evaluation of a module has left the engine, if another run may begin there: not if it has changed much. */
  stateWith(namespace: Value): ModuleState | undefined {
    const memory = this.#memory.difference();
    return memory === undefined ? undefined : { memory, namespace };
  }

  /** The run of the present host waits, and what it has changed in memory is kept. */
  save(frames: Frames): SavedMemory {
    this.#host = NOBODY;
    return this.#memory.save(frames);
  }

  /** A run that waited goes on. */
  restore(host: Host, saved: SavedMemory, frames: Frames): void {
    this.#memory.restore(saved, frames);
    this.#host = host;
    this.#linkable = undefined;
  }

  /** The run is over: nothing reaches it any more. `clean`: it ended as a run should. */
  release(clean: boolean): void {
    this.#host = NOBODY;
    if (!clean) this.#memory.distrust();
  }

  /** Bytecode of task code, or undefined with an exception pending. No task code runs. */
  compile(source: string, kind: CodeKind): Buffer | undefined {
    const engine = this.#engine;
    const { file, word } = this.#pristine;
    const [at, length] = this.#memory.put(source);
    const flags = kind === 'module' ? EVAL_MODULE : EVAL_SCRIPT;
    const code = engine.qjs_compile(at, length, file, flags, 0, word);
    if (code === 0) return undefined;
    return Buffer.from(this.#memory.bytes.subarray(code, code + this.#memory.bytes.readUInt32LE(word)));
  }

  /**
   * Links `importer` against `source` as {@link TASK_FILE}. Linking comes before anything is evaluated, so an importer
   * that cannot be linked is a question about the exports of `source` that runs no code of it.
   */
  link(importer: string, source: string): Value {
    this.#linkable = source;
    const [at, length] = this.#memory.put(importer);
    return this.#engine.qjs_eval(at, length, this.#pristine.importer, EVAL_MODULE);
  }

  /** Only ever bytecode that {@link compile} made in this thread: the engine does not check it. */
  run(bytecode: Buffer): Value {
    const at = this.#memory.room(bytecode.length);
    this.#memory.bytes.set(bytecode, at);
    return this.#engine.qjs_eval_bytecode(at, bytecode.length);
  }

  /** Calls a function of the guest's core. */
  call(guestFunction: number, ...args: readonly Value[]): Value {
    const { arguments: at, guest, undefined: self } = this.#pristine;
    const { words } = this.#memory;
    for (let i = 0; i < args.length; i++) words[at / 4 + i] = args[i]!;
    return this.#engine.qjs_call(guest[guestFunction] ?? self, self, args.length, at);
  }

  text(text: string): Value {
    const [at, length] = this.#memory.put(text);
    return this.#engine.qjs_new_string(at, length);
  }

  isException(value: Value): boolean {
    return this.#engine.qjs_is_exception(value) !== 0;
  }

  takeException(): Value {
    return this.#engine.qjs_get_exception();
  }

  /** What a promise was fulfilled with; undefined while it is not. */
  fulfilment(promise: Value): Value | undefined {
    return this.#engine.qjs_promise_state(promise) === FULFILLED ? this.#engine.qjs_promise_result(promise) : undefined;
  }

  get hasJobs(): boolean {
    return this.#engine.qjs_is_job_pending() !== 0;
  }

  /** Runs one job (a promise reaction or a microtask); false when it threw. */
  runJob(): boolean {
    return this.#engine.qjs_execute_pending_job() >= 0;
  }

  #boot({ core, chapters }: Guest): Pristine {
    const engine = this.#engine;
    engine.__stack_pointer.value = STACK_TOP;
    engine._initialize();
    if (engine.qjs_init() !== 0) throw new Error('QuickJS did not start');
    engine.qjs_set_max_stack_size(STACK_BYTES);
    engine.qjs_set_interrupt_handler(1);

    engine.qjs_set_module_loader(1);

    const word = this.#memory.malloc(WORD_BYTES);
    const args = this.#memory.malloc(WORD_BYTES);
    const file = this.#memory.allocate(TASK_FILE);
    const importer = this.#memory.allocate('check.js');
    const nothing = engine.qjs_get_undefined();

    // What the compiler leaves behind would have to be restored for every run; so memory is set back first.
    this.#memory.keep();
    const compiledCore = this.#compileGuest('guest', core, word);
    const compiledChapters = new Map(
      Object.entries(chapters).map(([name, source]) => [name, this.#compileGuest(name, source, word)]),
    );
    this.#memory.reset({ memoryBytes: BOOT_BYTES, stackBytes: STACK_BYTES });

    const main = this.run(compiledCore);
    this.#memory.bytes.writeUInt32LE(
      engine.qjs_new_host_function(this.#memory.allocate('host'), 'host'.length, 0),
      args,
    );
    const api = engine.qjs_call(main, nothing, 1, args);
    if (this.isException(api)) throw new Error('the guest did not start');
    const guest = Object.values(GUEST).map((index) => engine.qjs_get_prop_uint32(api, index));
    engine.qjs_run_gc();

    const memory = this.#memory.keep();
    return {
      memory,
      guest,
      chapters: compiledChapters,
      undefined: nothing,
      word,
      arguments: args,
      file,
      importer,
    };
  }

  /** Bytecode of a part of the guest; without its source text, so that it is small. */
  #compileGuest(name: string, source: string, word: number): Buffer {
    const [at, length] = this.#memory.put(source);
    const file = this.#memory.allocate(`${name}.js`);
    const code = this.#engine.qjs_compile(at, length, file, EVAL_SCRIPT, STRIP_SOURCE, word);
    if (code === 0) throw new Error(`the guest's ${name} does not parse`);
    return Buffer.from(this.#memory.bytes.subarray(code, code + this.#memory.bytes.readUInt32LE(word)));
  }

  #message(count: number, argumentsAt: number): Value {
    // The engine looks up once in ten thousand steps. Among so many there may be thousands of messages, and each takes
    // the host more time than a step.
    if (this.#host.shouldStop()) throw new Interrupted('the run should stop');
    const engine = this.#engine;
    const { word, undefined: nothing } = this.#pristine;
    if (count < 1) return engine.qjs_dup_value(nothing);
    const at = engine.qjs_get_string_len(this.#memory.bytes.readUInt32LE(argumentsAt), word);
    if (at === 0) return 0;
    const memory = this.#memory.bytes;
    const bytes = memory.readUInt32LE(word) - 1;
    const letter = String.fromCharCode(memory[at] ?? 0);
    const start = at + 1;
    const isChapter = letter === CHAPTER;
    let end = start + Math.min(bytes, isChapter ? CHAPTER_NAME_BYTES : this.#host.allowance(letter));
    // Never half a character: UTF-8 continues with bytes 10xxxxxx.
    if (end < start + bytes) while (end > start && ((memory[end] ?? 0) & 0xc0) === 0x80) end--;
    const text = memory.toString('utf8', start, end);
    engine.qjs_free_cstring(at);
    if (isChapter) return this.#open(text);
    const answer = this.#host.receive(letter, text, bytes);
    return answer === undefined ? engine.qjs_dup_value(nothing) : this.text(answer);
  }

  /** The function that a chapter is. */
  #open(name: string): Value {
    const { chapters, undefined: nothing } = this.#pristine;
    const bytecode = chapters.get(name);
    if (bytecode === undefined) return this.#engine.qjs_dup_value(nothing);
    const chapter = this.run(bytecode);
    return this.isException(chapter) ? 0 : chapter;
  }

  #loadModule(nameAt: number, lengthAt: number): number {
    if (this.#linkable === undefined || this.#memory.cString(nameAt, MODULE_NAME_BYTES) !== TASK_FILE) return 0;
    const at = this.#memory.allocate(this.#linkable);
    this.#memory.bytes.writeUInt32LE(Buffer.byteLength(this.#linkable), lengthAt);
    return at;
  }
}
