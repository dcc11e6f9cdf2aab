/** Timed: the first outcome of the evaluator. */
import { createQuickJsEvaluator } from '../../../src/evaluator/quickjs.ts';
import { DONE } from '../../child.ts';
import { NO_OP_MODULE, runOf } from '../workload.ts';

const evaluator = await createQuickJsEvaluator();
await evaluator.run([runOf(NO_OP_MODULE, 0)], (_, { status }) => {
  if (status === 'succeeded') process.stdout.write(`${DONE}\n`);
});
await evaluator.close();
