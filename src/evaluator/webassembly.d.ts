/** As much of the WebAssembly JavaScript interface as we use: TypeScript declares it only together with the DOM. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }

  interface Memory {
    readonly buffer: ArrayBuffer;
    /** Grows by so many pages of 64 KiB; throws a RangeError when that cannot be. */
    grow(pages: number): number;
  }

  interface Global {
    value: number;
  }

  const Instance: new (module: Module, imports: object) => { readonly exports: object };
  const RuntimeError: ErrorConstructor;

  /** Compiles off the thread that asks. */
  function compile(bytes: Uint8Array): Promise<Module>;
}
