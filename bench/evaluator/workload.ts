/** What is run: task code for Cronkeeper, and the same as an expression for the peers. */
import { type Capability, DEFAULT_LIMITS, type Program, type Run } from '../../src/evaluator.ts';
import { launchId } from '../../src/launch.ts';
import { programOf } from '../../src/program.ts';

/** Task code, what it comes to, and an expression that comes to the same where `ctx` is the context. */
export interface Work {
  readonly program: Program;
  readonly expression: string;
  /** As JSON. */
  readonly result: string;
}

const workOf = (source: string, expression: string, result: unknown): Work => ({
  program: programOf(source),
  expression,
  result: JSON.stringify(result),
});

export const NO_OP_MODULE = workOf('export default () => {}', '((ctx) => {})(ctx) ?? null', null);
export const NO_OP_SCRIPT = workOf('({ completed: false })', '({ completed: false })', { completed: false });
export const HOST_CALL = workOf('export default (ctx) => ctx.call("add", 2, 3)', 'add(2, 3)', 5);
/** Waits for whoever embeds it. */
export const WAITING = workOf('export default (ctx) => ctx.call("wait")', 'null', null);

const LARGE_BYTES = 10 * 1024;

/** Functions such as a task has, 10 kB of them, of which one is called. */
export const LARGE_MODULE = ((): Work => {
  const functions: string[] = [];
  for (let i = 0, bytes = 0; bytes < LARGE_BYTES; i++) {
    const text = `function total${i}(orders) {
  const open = orders.filter((order) => order.status !== 'closed' && order.region === ${i});
  return open.reduce((sum, { price, count }) => sum + price * count, ${i});
}\n`;
    functions.push(text);
    bytes += text.length;
  }
  const body = functions.join('');
  return workOf(`${body}export default () => total7([]);`, `(() => { ${body} return total7([]); })()`, 7);
})();

/** A source that nobody has seen before: with `n` in it. */
export const distinctWork = (n: number): Work => workOf(`export default () => ${n}`, `(() => ${n})()`, n);

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A run as the tick makes it. */
export function runOf({ program }: Work, n: number, capabilities: Readonly<Record<string, Capability>> = {}): Run {
  const taskId = `task-${n}`;
  const id = launchId(taskId, NOW_MS);
  return {
    program,
    context: { taskId, slotMs: NOW_MS, attempt: 1, fence: 7, idempotencyKey: id, input: { a: 1 }, state: { n } },
    nowMs: NOW_MS,
    seed: `${id}#1`,
    limits: { ...DEFAULT_LIMITS, wallMs: 10_000, cpuMs: 10_000 },
    capabilities,
  };
}

/** The context as peers get it: text, for that is what crosses a border. */
export const contextJson = (n: number): string => JSON.stringify(runOf(NO_OP_MODULE, n).context);
