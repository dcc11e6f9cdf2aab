/**
 * One QuickJS in one WebAssembly instance, set back to its pristine memory before every run. All that a run can change
 * is memory, the stack pointer and the three globals of soft-memory.ts, so setting these back is the isolation between
 * runs. It costs some microseconds, because only what can have been written is rewritten.
 */
import type { CodeKind } from '../evaluator.ts';
import { type EngineExports, instantiate, type Value } from './binding.ts';
import { GUEST, type Host, NOBODY, TASK_FILE } from './host.ts';
import { PAGE_BYTES } from './soft-memory.ts';

const KIB = 1024;

/** The linker put the stack below 1 MiB and the data from there. */
const DATA_START = 1024 * KIB;
/**
 * The stack pointer starts here instead of at 1 MiB: less to rewrite. What runs over its end traps at address 0. The
 * engine itself gives up earlier, with an error that a task can catch.
 */
const STACK_TOP = 320 * KIB;
const STACK_LIMIT_BYTES = 256 * KIB;
/** A run has spent its stack when something was written this close to the engine's limit. */
const STACK_MARGIN_BYTES = 8 * KIB;
/** Between the stack and the data lies memory that the engine does not use: texts on their way in are put there. */
const INPUT_START = STACK_TOP;
const INPUT_BYTES = DATA_START - INPUT_START;
const WORD_BYTES = 16;
/** Memory that an instance may keep between runs; one that holds more is replaced, as memory cannot shrink. */
const KEEP_BYTES = 8 * 1024 * KIB;
const MODULE_NAME_BYTES = 1024;
/** The most bytes of UTF-8 that one UTF-16 unit becomes. */
const UTF8_PER_UNIT = 3;

const EVAL_SCRIPT = 0;
const EVAL_MODULE = 1;
const STRIP_SOURCE = 1 << 4;
const FULFILLED = 1;

/** Memory after boot, and where things lie in it. The same for every instance of a module. */
export interface Pristine {
  /** From {@link DATA_START} to the last byte that is not zero. */
  readonly image: Buffer;
  readonly pages: number;
  readonly guest: readonly Value[];
  readonly undefined: Value;
  readonly true: Value;
  /** Room for a number that the engine returns by address. */
  readonly word: number;
  readonly arguments: number;
  /** The names of two files: the task's, and that of whoever imports it in {@link Instance.link}. */
  readonly file: number;
  readonly importer: number;
}

export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
}

export class Instance {
  readonly #engine: EngineExports;
  readonly #pristine: Pristine;
  #host: Host = NOBODY;
  #bytes: Buffer;
  #mustWipe = true;
  /** Bytes of the input area that were written since it was last cleared. */
  #inputBytes = 0;
  /** The task's module, while somebody links against it. */
  #linkable: string | undefined;

  /** An instance of `module`; with `guest` it boots, with `pristine` it is a copy of one that has booted. */
  constructor(module: WebAssembly.Module, from: { readonly guest: string } | { readonly pristine: Pristine }) {
    this.#engine = instantiate(module, {
      message: (count, at) => this.#message(count, at),
      shouldStop: () => this.#host.shouldStop(),
      normalizeModule: (nameAt) => this.#allocate(this.#cString(nameAt)),
      loadModule: (nameAt, lengthAt) => this.#loadModule(nameAt, lengthAt),
      freeValue: (value) => this.#engine.qjs_free_value(value),
      writeClock: (isMonotonic, at) => {
        const ms = isMonotonic ? this.#host.elapsedMs() : this.#host.nowMs();
        this.#memory.writeBigUInt64LE(BigInt(Math.floor(ms * 1e6)), at);
      },
      zero: (at, bytes) => this.#memory.fill(0, at, at + bytes),
    });
    this.#bytes = Buffer.from(this.#engine.memory.buffer);
    this.#pristine = 'guest' in from ? this.#boot(from.guest) : from.pristine;
    const missing = this.#pristine.pages - this.#bytes.length / PAGE_BYTES;
    if (missing > 0) this.#engine.memory.grow(missing);
    this.#engine.pages.value = this.#pristine.pages;
  }

  get pristine(): Pristine {
    return this.#pristine;
  }

  /** Pristine, for a run of `host` within `memoryBytes`. */
  reset(host: Host, memoryBytes: number): void {
    const { image, pages } = this.#pristine;
    const engine = this.#engine;
    const memory = this.#memory;
    const end = engine.pages.value * PAGE_BYTES;
    memory.set(image, DATA_START);
    memory.fill(0, DATA_START + image.length, end);
    memory.fill(0, 0, INPUT_START + this.#inputBytes);
    this.#inputBytes = 0;
    if (this.#mustWipe) {
      // Only a broken engine can have written here; after a run that ended well nobody looks.
      memory.fill(0, INPUT_START, DATA_START);
      memory.fill(0, end);
      this.#mustWipe = false;
    }
    engine.__stack_pointer.value = STACK_TOP;
    engine.pages.value = pages;
    engine.limit.value = Math.max(pages, Math.floor(memoryBytes / PAGE_BYTES));
    engine.refused.value = 0;
    this.#host = host;
    this.#linkable = undefined;
  }

  /** The run is over: nothing reaches it any more. `clean`: it ended as a run should. */
  release(clean: boolean): void {
    this.#host = NOBODY;
    if (!clean) this.#mustWipe = true;
  }

  /** Too large to keep. */
  get isBloated(): boolean {
    return this.#engine.memory.buffer.byteLength > KEEP_BYTES;
  }

  /** Memory of the run so far: it only grows. */
  get usedBytes(): number {
    return this.#engine.pages.value * PAGE_BYTES;
  }

  /** The run has hit its memory limit. */
  get wasRefusedMemory(): boolean {
    return this.#engine.refused.value !== 0;
  }

  /** The run has gone to the end of the engine's stack. */
  get hasSpentStack(): boolean {
    const limit = STACK_TOP - STACK_LIMIT_BYTES;
    return this.#memory.subarray(limit - STACK_MARGIN_BYTES, limit + STACK_MARGIN_BYTES).some((byte) => byte !== 0);
  }

  /** Bytecode of task code, or undefined with an exception pending. No task code runs. */
  compile(source: string, kind: CodeKind): Buffer | undefined {
    const engine = this.#engine;
    const { file, word } = this.#pristine;
    const [at, length] = this.#put(source);
    const flags = kind === 'module' ? EVAL_MODULE : EVAL_SCRIPT;
    const code = engine.qjs_compile(at, length, file, flags, 0, word);
    if (code === 0) return undefined;
    return Buffer.from(this.#memory.subarray(code, code + this.#memory.readUInt32LE(word)));
  }

  /**
   * Links `importer` against `source` as {@link TASK_FILE}. Linking comes before anything is evaluated, so an importer
   * that cannot be linked is a question about the exports of `source` that runs no code of it.
   */
  link(importer: string, source: string): Value {
    this.#linkable = source;
    const [at, length] = this.#put(importer);
    return this.#engine.qjs_eval(at, length, this.#pristine.importer, EVAL_MODULE);
  }

  /** Only ever bytecode that {@link compile} made in this thread: the engine does not check it. */
  run(bytecode: Buffer): Value {
    const at = this.#room(bytecode.length);
    this.#memory.set(bytecode, at);
    return this.#engine.qjs_eval_bytecode(at, bytecode.length);
  }

  /** Calls a function of guest.js. */
  call(guestFunction: number, ...args: readonly Value[]): Value {
    const { arguments: at, guest, undefined: self } = this.#pristine;
    const memory = this.#memory;
    for (const [index, value] of args.entries()) memory.writeUInt32LE(value, at + index * 4);
    return this.#engine.qjs_call(guest[guestFunction] ?? self, self, args.length, at);
  }

  text(text: string): Value {
    const [at, length] = this.#put(text);
    return this.#engine.qjs_new_string(at, length);
  }

  boolean(value: boolean): Value {
    return value ? this.#pristine.true : this.#pristine.undefined;
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

  #boot(guestSource: string): Pristine {
    const engine = this.#engine;
    engine.__stack_pointer.value = STACK_TOP;
    engine._initialize();
    if (engine.qjs_init() !== 0) throw new Error('QuickJS did not start');
    engine.qjs_set_max_stack_size(STACK_LIMIT_BYTES);
    engine.qjs_set_interrupt_handler(1);

    engine.qjs_set_module_loader(1);

    const word = this.#malloc(WORD_BYTES);
    const args = this.#malloc(WORD_BYTES);
    const file = this.#allocate(TASK_FILE);
    const importer = this.#allocate('check.js');
    const nothing = engine.qjs_get_undefined();
    const yes = engine.qjs_get_true();

    const main = this.#load(guestSource, word);
    this.#memory.writeUInt32LE(engine.qjs_new_host_function(this.#allocate('host'), 'host'.length, 0), args);
    const api = engine.qjs_call(main, nothing, 1, args);
    if (this.isException(api)) throw new Error('guest.js did not start');
    const guest = Object.values(GUEST).map((index) => engine.qjs_get_prop_uint32(api, index));
    engine.qjs_run_gc();

    // Nothing is on the stack now, so its pristine state is all zeros.
    if (engine.__stack_pointer.value !== STACK_TOP) throw new Error('QuickJS did not clear its stack');
    const pages = engine.pages.value;
    let end = pages * PAGE_BYTES;
    while (end > DATA_START && this.#memory[end - 1] === 0) end--;
    const image = Buffer.from(this.#memory.subarray(DATA_START, end));
    return { image, pages, guest, undefined: nothing, true: yes, word, arguments: args, file, importer };
  }

  /** The function that guest.js is. Without its source text, which would have to be restored for every run. */
  #load(guestSource: string, word: number): Value {
    const engine = this.#engine;
    const [at, length] = this.#put(guestSource);
    const code = engine.qjs_compile(at, length, this.#allocate('guest.js'), EVAL_SCRIPT, STRIP_SOURCE, word);
    if (code === 0) throw new Error('guest.js does not parse');
    const main = engine.qjs_eval_bytecode(code, this.#memory.readUInt32LE(word));
    engine.wasm_free(code);
    return main;
  }

  /** The engine's memory; it moves when it grows. */
  get #memory(): Buffer {
    const { buffer } = this.#engine.memory;
    if (this.#bytes.buffer !== buffer) this.#bytes = Buffer.from(buffer);
    return this.#bytes;
  }

  #malloc(bytes: number): number {
    const at = this.#engine.wasm_malloc(bytes);
    if (at === 0) throw new OutOfMemory(`no room for ${bytes} bytes`);
    return at;
  }

  /** A copy of `text` in memory of the engine, closed by a zero as in C. */
  #allocate(text: string): number {
    const bytes = Buffer.byteLength(text);
    const at = this.#malloc(bytes + 1);
    const memory = this.#memory;
    memory.write(text, at);
    memory[at + bytes] = 0;
    return at;
  }

  /** Puts a text where the engine can read it until the next one is put: its address and length. */
  #put(text: string): readonly [at: number, bytes: number] {
    const at = this.#room(text.length * UTF8_PER_UNIT + 1);
    const memory = this.#memory;
    const bytes = memory.write(text, at);
    memory[at + bytes] = 0;
    return [at, bytes];
  }

  /** Room for something on its way in: the input area, or, for what is larger, memory of the run. */
  #room(bytes: number): number {
    if (bytes > INPUT_BYTES) return this.#malloc(bytes);
    this.#inputBytes = Math.max(this.#inputBytes, bytes);
    return INPUT_START;
  }

  #cString(at: number): string {
    const bytes = this.#memory.subarray(at, at + MODULE_NAME_BYTES);
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
  }

  #message(count: number, argumentsAt: number): Value {
    const engine = this.#engine;
    const { word, undefined: nothing } = this.#pristine;
    if (count < 1) return engine.qjs_dup_value(nothing);
    const at = engine.qjs_get_string_len(this.#memory.readUInt32LE(argumentsAt), word);
    if (at === 0) return 0;
    const memory = this.#memory;
    const bytes = memory.readUInt32LE(word) - 1;
    const letter = String.fromCharCode(memory[at] ?? 0);
    const start = at + 1;
    let end = start + Math.min(bytes, this.#host.allowance(letter));
    // Never half a character: UTF-8 continues with bytes 10xxxxxx.
    if (end < start + bytes) while (end > start && ((memory[end] ?? 0) & 0xc0) === 0x80) end--;
    const answer = this.#host.receive(letter, memory.toString('utf8', start, end), bytes);
    engine.qjs_free_cstring(at);
    return answer === undefined ? engine.qjs_dup_value(nothing) : this.text(answer);
  }

  #loadModule(nameAt: number, lengthAt: number): number {
    if (this.#linkable === undefined || this.#cString(nameAt) !== TASK_FILE) return 0;
    const at = this.#allocate(this.#linkable);
    this.#memory.writeUInt32LE(Buffer.byteLength(this.#linkable), lengthAt);
    return at;
  }
}
