/**
 * `isolated-vm`, a fresh isolate per run, in a process of its own: it needs a flag of Node's. It is no dependency of
 * this project: `npm install --no-save isolated-vm` puts it where it is found.
 */
import { createRequire } from 'node:module';
import { each, type Prepare, ratePerSecond, repeat, roundTripsUs } from './peers.ts';
import { distinctWork, LARGE_MODULE, NO_OP_SCRIPT } from './workload.ts';

/** As much of it as is used. */
interface IsolatedVm {
  readonly Isolate: new (options: { memoryLimit: number }) => Isolate;
}

interface Isolate {
  createContextSync(): Context;
  compileScriptSync(source: string, info?: { cachedData?: Copy; produceCachedData?: boolean }): Script;
  dispose(): void;
}

interface Context {
  readonly global: { setSync(name: string, value: string): void };
}

interface Script {
  readonly cachedData?: Copy;
  runSync(context: Context): unknown;
}

/** Of V8's bytecode, outside of every isolate. */
interface Copy {
  readonly release: () => void;
}

export type Question = { readonly what: 'rate' | 'latency' | 'large' | 'distinct'; readonly count: number };
export type Reply = { readonly numbers: readonly number[] } | { readonly absent: string };

/** As a run of Cronkeeper has. */
const MEMORY_MIB = 64;

function prepareWith({ Isolate }: IsolatedVm): Prepare {
  return ({ expression }) => {
    const source = `{ const ctx = JSON.parse(json); JSON.stringify(${expression}) }`;
    let cachedData: Copy | undefined;
    return (json) => {
      const isolate = new Isolate({ memoryLimit: MEMORY_MIB });
      try {
        const context = isolate.createContextSync();
        context.global.setSync('json', json);
        const script = isolate.compileScriptSync(source, cachedData ? { cachedData } : { produceCachedData: true });
        cachedData ??= script.cachedData;
        return String(script.runSync(context));
      } finally {
        isolate.dispose();
      }
    };
  };
}

let lastSource = 0;

function answer(prepare: Prepare, { what, count }: Question): readonly number[] {
  switch (what) {
    case 'rate':
      return [ratePerSecond(repeat(prepare, NO_OP_SCRIPT), count)];
    case 'latency':
      return roundTripsUs(repeat(prepare, NO_OP_SCRIPT), count);
    case 'large':
      return [ratePerSecond(repeat(prepare, LARGE_MODULE), count)];
    case 'distinct': {
      const works = Array.from({ length: count }, () => distinctWork(lastSource++));
      return [ratePerSecond(each(prepare, works), count)];
    }
  }
}

const reply = (message: Reply): void => void process.send?.(message);

let prepare: Prepare | undefined;
try {
  prepare = prepareWith(createRequire(import.meta.url)('isolated-vm') as IsolatedVm);
} catch (error) {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
  reply({ absent: isMissing ? 'not installed' : `does not load: ${error}` });
}
if (prepare !== undefined) {
  const ready = prepare;
  process.on('message', (question: Question) => reply({ numbers: answer(ready, question) }));
  reply({ numbers: [] });
}
