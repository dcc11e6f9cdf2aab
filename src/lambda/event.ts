/** Events of a bus as a Lambda handler, and commands as they are. What fails is thrown: Lambda, or the bus, tries it again. */
import { commandTrigger } from '../trigger/direct.ts';
import { eventBridgeTrigger } from '../trigger/eventbridge.ts';
import { scheduleTrigger } from '../trigger/schedule.ts';
import { senderOf } from '../trigger/sender.ts';
import { commandOf } from '../trigger.ts';
import {
  type CommandHandlerOptions,
  type CommandKeeper,
  type CommandResult,
  carryOut,
  invocationId,
} from './command.ts';
import type { Handler } from './stack.ts';
import { warm } from './warm.ts';

const TRIGGERS = [scheduleTrigger, eventBridgeTrigger, commandTrigger];

export type EventHandler = Handler<CommandResult>;

/** @throws CronkeeperError `invalid` at once, when neither options nor environment say where the tasks are. */
export function createEventHandler({ lingerMs, ...options }: CommandHandlerOptions = {}): EventHandler {
  const { keeper, config, stack } = warm<CommandKeeper>(options);

  return stack.around({ name: 'events' }, async (event, context, { signal }) => {
    const command = commandOf(event, TRIGGERS, invocationId(context));
    const opened = await keeper();
    try {
      const invocation = { keeper: opened, stack, context, signal, lingerMs: lingerMs ?? config.lingerMs };
      return await carryOut([{ command, sender: senderOf(event) }], invocation);
    } finally {
      await opened.release();
    }
  });
}
