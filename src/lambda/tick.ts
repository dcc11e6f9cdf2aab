/** The tick as a Lambda handler: an event in, a report out, a line in the log for every run. */
import type { TickReport } from '../report.ts';
import { directTrigger } from '../trigger/direct.ts';
import { scheduleTrigger } from '../trigger/schedule.ts';
import { senderOf } from '../trigger/sender.ts';
import { commandOf } from '../trigger.ts';
import { applyCommand, type CommandHandlerOptions, invocationId } from './command.ts';
import { type Invoke, together } from './fan-out.ts';
import type { Handler } from './stack.ts';
import { tickNow } from './ticking.ts';
import { warm } from './warm.ts';

const TRIGGERS = [scheduleTrigger, directTrigger];

export interface TickHandlerOptions extends CommandHandlerOptions {
  /** How the function invokes itself, see CRONKEEPER_FAN_OUT_MAX. Default: by Lambda's API. */
  readonly invoke?: Invoke;
}

export type TickHandler = Handler<TickReport>;

/** @throws CronkeeperError `invalid` at once, when neither options nor environment say where the tasks are. */
export function createTickHandler({ lingerMs, invoke, ...options }: TickHandlerOptions = {}): TickHandler {
  const { keeper, config, stack } = warm(options);
  const sharing = together(config, { invoke, log: stack.log, clock: options.clock });

  return stack.around({ name: 'tick' }, async (event, context, { signal }) => {
    const command = commandOf(event, TRIGGERS, invocationId(context));
    // Connecting is a part of the tick, and so of what the budget and the early end bound.
    const opened = await keeper();
    const invocation = { keeper: opened, stack, context, signal, lingerMs: lingerMs ?? config.lingerMs };
    if (command.kind === 'tick') {
      return tickNow({ ...invocation, keeper: sharing(opened, command, context.invokedFunctionArn) }, command.lingerMs);
    }
    try {
      const { tasks } = await applyCommand(command, senderOf(event), opened, stack.log);
      return await tickNow(invocation, 0, { tasks });
    } finally {
      await opened.release();
    }
  });
}
