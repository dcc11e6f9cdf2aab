/**
 * Runs random programs, some at a time, and holds each run to what must be true of any. By hand, for as long as one
 * likes: `node test/hostile/fuzz.ts [seconds] [seed]`.
 */
import fc from 'fast-check';
import { Arena } from './arena.ts';
import { faultsOf } from './judge.ts';
import { snippet } from './snippets.ts';

/** Programs at a time: they take turns in one worker, and one that hangs takes the others along. */
const TOGETHER_MAX = 4;
/** Most end at once; what loops need not loop for long. */
const WALL_MS = 60;
const MEMORY_BYTES = 16 * 1024 * 1024;

export interface Fuzzed {
  readonly programs: number;
  /** How they ended: `succeeded`, or the class of the error. */
  readonly ends: ReadonlyMap<string, number>;
}

/** So many lists of programs, or as many as fit into so many milliseconds. */
export type Extent = { readonly lists: number } | { readonly forMs: number };

/** Throws what fast-check says of the first program with a fault, made as small as it can be. */
export async function fuzz(seed: number, extent: Extent): Promise<Fuzzed> {
  const arena = await Arena.open();
  const ends = new Map<string, number>();
  const limits = { memoryBytes: MEMORY_BYTES };
  const property = fc.asyncProperty(fc.array(snippet, { minLength: 1, maxLength: TOGETHER_MAX }), async (sources) => {
    const all = await Promise.all(
      sources.map(async (source) => {
        const seen = await arena.perform({ name: 'fuzz', forbids: 'do harm', ends: [], source, limits }, WALL_MS);
        const end = seen.outcome?.error?.class ?? 'succeeded';
        ends.set(end, (ends.get(end) ?? 0) + 1);
        return faultsOf(source, seen, arena.secrets);
      }),
    );
    if (all.flat().length > 0) throw new Error(`\n${all.flat().join('\n')}\n${sources.join('\n---\n')}`);
  });
  try {
    await fc.assert(property, {
      seed,
      ...('lists' in extent
        ? { numRuns: extent.lists }
        : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: extent.forMs, markInterruptAsFailure: false }),
    });
  } finally {
    await arena.close();
  }
  return { programs: [...ends.values()].reduce((sum, count) => sum + count, 0), ends };
}

if (import.meta.main) {
  const [seconds = '60', seed = `${Math.floor(Math.random() * 2 ** 31)}`] = process.argv.slice(2);
  console.log(`seed ${seed}`);
  const { programs, ends } = await fuzz(Number(seed), { forMs: Number(seconds) * 1000 });
  console.log(`${programs} programs without a fault:`, Object.fromEntries(ends));
}
