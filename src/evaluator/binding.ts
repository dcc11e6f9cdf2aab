/**
 * The engine's door, both ways: the exports of quickjs-wasi's module that we use, and the functions that it imports.
 * Every value of the engine is a pointer into its memory. Whatever an imported function receives may be forged by an
 * engine that a task has broken: it is read with bounds, and decides nothing outside of the run.
 */

/** Pointer to a value of the engine. */
export type Value = number;

export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global;
  /** See soft-memory.ts. */
  readonly pages: WebAssembly.Global;
  readonly limit: WebAssembly.Global;
  readonly refused: WebAssembly.Global;

  _initialize(): void;
  /** 0 when the engine has started. */
  qjs_init(): number;
  qjs_set_interrupt_handler(enabled: number): void;
  qjs_set_max_stack_size(bytes: number): void;
  /** Makes the engine ask for modules. */
  qjs_set_module_loader(enabled: number): void;
  qjs_run_gc(): void;
  wasm_malloc(bytes: number): number;
  wasm_free(at: number): void;

  qjs_get_undefined(): Value;
  qjs_new_string(at: number, bytes: number): Value;
  qjs_new_host_function(nameAt: number, nameBytes: number, isConstructor: number): Value;
  qjs_get_prop_uint32(object: Value, index: number): Value;
  /** The address of the text in UTF-8, or 0; its length is written to `lengthAt`. */
  qjs_get_string_len(value: Value, lengthAt: number): number;
  qjs_free_cstring(at: number): void;
  qjs_dup_value(value: Value): Value;
  qjs_free_value(value: Value): void;

  qjs_eval(at: number, bytes: number, fileAt: number, flags: number): Value;
  /** The address of the bytecode, or 0 with an exception; its length is written to `lengthAt`. */
  qjs_compile(at: number, bytes: number, fileAt: number, flags: number, strip: number, lengthAt: number): number;
  qjs_eval_bytecode(at: number, bytes: number): Value;
  qjs_call(callee: Value, self: Value, count: number, argumentsAt: number): Value;
  qjs_is_exception(value: Value): number;
  qjs_get_exception(): Value;
  /** 0 pending, 1 fulfilled, 2 rejected. */
  qjs_promise_state(promise: Value): number;
  qjs_promise_result(promise: Value): Value;
  qjs_is_job_pending(): number;
  /** Negative when the job threw. */
  qjs_execute_pending_job(): number;
}

/** What the engine asks of its instance. Addresses are the engine's. */
export interface EngineImports {
  /** The guest sends a message. The answer is a value, or 0 when an exception is pending. */
  message(argumentCount: number, argumentsAt: number): Value;
  shouldStop(): boolean;
  /** A copy of the module's name in memory of the engine. */
  normalizeModule(nameAt: number): number;
  /** The module's source in memory of the engine, or 0: there is none. */
  loadModule(nameAt: number, lengthAt: number): number;
  freeValue(value: Value): void;
  /** Nanoseconds: since the epoch, or monotonic ones. */
  writeClock(isMonotonic: boolean, at: number): void;
  zero(at: number, bytes: number): void;
}

const CLOCK_REALTIME = 0;
const ERRNO_BADF = 8;
const ERRNO_NOSYS = 52;

/** A new instance. It has twelve imports: a clock, a door for messages, and stubs. No file, no network, no entropy. */
export function instantiate(module: WebAssembly.Module, imports: EngineImports): EngineExports {
  const instance = new WebAssembly.Instance(module, {
    env: {
      host_call: (_nameAt: number, _nameBytes: number, _self: Value, count: number, argumentsAt: number) =>
        imports.message(count, argumentsAt),
      host_interrupt: () => (imports.shouldStop() ? 1 : 0),
      host_promise_rejection: (promise: Value, reason: Value) => {
        imports.freeValue(promise);
        imports.freeValue(reason);
      },
      host_module_normalize: (_baseAt: number, nameAt: number) => imports.normalizeModule(nameAt),
      host_module_load: (nameAt: number, lengthAt: number) => imports.loadModule(nameAt, lengthAt),
      host_get_timezone_offset: () => 0,
    },
    wasi_snapshot_preview1: {
      clock_time_get: (clock: number, _precision: bigint, at: number) => {
        imports.writeClock(clock !== CLOCK_REALTIME, at);
        return 0;
      },
      // The engine seeds hash tables with it, once, before the pristine memory is kept.
      random_get: (at: number, bytes: number) => {
        imports.zero(at, bytes);
        return 0;
      },
      fd_write: () => ERRNO_BADF,
      fd_close: () => ERRNO_NOSYS,
      fd_fdstat_get: () => ERRNO_BADF,
      fd_seek: () => ERRNO_NOSYS,
    },
  });
  return instance.exports as unknown as EngineExports;
}
