/** A topic's messages as a Lambda handler. SNS asks for no answer: what fails is thrown, and Lambda tries it again. */

import { senderOf } from '../trigger/sender.ts';
import { snsTrigger } from '../trigger/sns.ts';
import { commandOf, recordsOf } from '../trigger.ts';
import {
  type CommandHandlerOptions,
  type CommandKeeper,
  type CommandResult,
  carryOut,
  invocationId,
} from './command.ts';
import type { Handler } from './stack.ts';
import { warm } from './warm.ts';

export type TopicHandler = Handler<CommandResult>;

/** @throws CronkeeperError `invalid` at once, when neither options nor environment say where the tasks are. */
export function createTopicHandler({ lingerMs, ...options }: CommandHandlerOptions = {}): TopicHandler {
  const { keeper, config, stack } = warm<CommandKeeper>(options);

  return stack.around({ name: 'topic' }, async (event, context, { signal }) => {
    const id = invocationId(context);
    const records = recordsOf(event, 'a record of an SNS topic');
    const sent = records.map((record) => ({ command: commandOf(record, [snsTrigger], id), sender: senderOf(record) }));
    const opened = await keeper();
    try {
      const invocation = { keeper: opened, stack, context, signal, lingerMs: lingerMs ?? config.lingerMs };
      return await carryOut(sent, invocation);
    } finally {
      await opened.release();
    }
  });
}
