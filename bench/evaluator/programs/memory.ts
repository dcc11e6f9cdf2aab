/** Says, as JSON, what the process takes: before there is an evaluator, at rest, and with so many runs that wait. */
import { DONE } from '../../child.ts';

/** Nobody else begins to wait for so long: all that can, do. */
const SETTLED_MS = 250;
const WARM_RUNS = 1_000;

export interface MemoryReport {
  readonly nodeBytes: number;
  readonly restBytes: number;
  readonly waiting: readonly { readonly asked: number; readonly atOnce: number; readonly bytes: number }[];
}

const rss = (): number => {
  globalThis.gc?.();
  return process.memoryUsage.rss();
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const nodeBytes = rss();
const { createQuickJsEvaluator } = await import('../../../src/evaluator/quickjs.ts');
const { runOf, NO_OP_MODULE, WAITING } = await import('../workload.ts');
const evaluator = await createQuickJsEvaluator();
// Young heaps grow, whatever is done; what is of interest is what stays.
for (let n = 0; n < WARM_RUNS; n++) await evaluator.run([runOf(NO_OP_MODULE, n)], () => {});
await pause(SETTLED_MS);
const restBytes = rss();

const waiting: MemoryReport['waiting'][number][] = [];
for (const asked of process.argv.slice(2).map(Number)) {
  const { promise: answer, resolve: answerAll } = Promise.withResolvers<void>();
  let atOnce = 0;
  const capabilities = {
    wait: () => {
      atOnce++;
      return answer;
    },
  };
  const runs = Array.from({ length: asked }, (_, n) => runOf(WAITING, n, capabilities));
  let succeeded = 0;
  const all = evaluator.run(runs, (_, { status }) => {
    if (status === 'succeeded') succeeded++;
  });
  for (let before = -1; before < atOnce; ) {
    before = atOnce;
    await pause(SETTLED_MS);
  }
  waiting.push({ asked, atOnce, bytes: rss() });
  answerAll();
  await all;
  if (succeeded !== asked) throw new Error(`${succeeded} of ${asked} runs succeeded`);
}
await evaluator.close();
process.stdout.write(`${JSON.stringify({ nodeBytes, restBytes, waiting } satisfies MemoryReport)}\n${DONE}\n`);
