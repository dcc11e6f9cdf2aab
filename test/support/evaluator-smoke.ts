/** A few runs in plain Node, printed as JSON. It ends by itself once the evaluator is closed. */
import { createEvaluator } from '../../src/sandbox.ts';

const evaluator = await createEvaluator({ limits: { wallMs: 5000, cpuMs: 5000 } });
const brief = { wallMs: 150, cpuMs: 150 };
const evaluate = async (code: string, options: object = {}): Promise<unknown> => {
  const { value, error } = await evaluator.evaluate({ code, ...options });
  return error === undefined ? value : error.class;
};

const results = {
  module: await evaluate('export default async (ctx) => ctx.input + 1', { input: 41 }),
  script: await evaluate('({ completed: true })'),
  capability: await evaluate('ctx.call("add", 2, 3)', { capabilities: { add: (a: number, b: number) => a + b } }),
  loop: await evaluate('for (;;);', { limits: brief }),
  hang: await evaluate('[].join.call({ length: 1e9 }, "")', { limits: brief }),
  memory: await evaluate('const a = []; for (;;) a.push([])', { limits: { memoryBytes: 8 * 1024 * 1024 } }),
  stack: await evaluate('const f = () => f() + 1; f()'),
  after: await evaluate('"ok"'),
};
await evaluator.close();
process.stdout.write(JSON.stringify(results));
