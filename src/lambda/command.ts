/** A command, applied to a keeper; what it asks for is launched at once where the shard is free. */
import type { Context } from 'aws-lambda';
import type { Cronkeeper } from '../app.ts';
import { uniqueToken } from '../clock.ts';
import type { Emitted, RefusedLaunch } from '../event.ts';
import { taskOfLaunch } from '../launch.ts';
import type { Log, LogFields } from '../log.ts';
import type { TickReport } from '../report.ts';
import type { TaskDocument } from '../task.ts';
import type { LaunchAsked, Tasks } from '../tasks.ts';
import type { Command } from '../trigger.ts';
import { type Invocation, tickAfter, tickNow } from './ticking.ts';
import type { HandlerOptions } from './warm.ts';

/** What of a keeper commands are applied with. */
export type CommandKeeper = Pick<Cronkeeper, 'as' | 'emit' | 'tick' | 'release'>;

export interface CommandHandlerOptions extends HandlerOptions<CommandKeeper> {
  /** Of ticks that are asked for without saying how long. Default: CRONKEEPER_LINGER_MS. */
  readonly lingerMs?: number;
}

/** A command, and whom the audit trail names for what it changes. */
export interface Sent {
  readonly command: Command;
  readonly sender: string;
}

/** What a command has come to, and the tasks that a tick should look at now. */
export interface Applied extends Emitted {
  readonly tasks: readonly string[];
}

/** What an invocation has come to. */
export interface CommandResult {
  /** Launches that were asked for. */
  readonly launches: readonly LaunchAsked[];
  /** Tasks that an event matches and that cannot be launched by it. */
  readonly refused: readonly RefusedLaunch[];
  /** Absent: there was none, or it failed; what was asked for is then left to the next one. */
  readonly tick?: TickReport;
}

/** Request ids of Lambda: an asynchronous invocation that is tried again has the same one. */
const REQUEST_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Names what brought a command that has no id of its own; where it was run by hand, no two are the same. */
export const invocationId = ({ awsRequestId }: Pick<Context, 'awsRequestId'>): string =>
  REQUEST_ID.test(awsRequestId) ? awsRequestId : uniqueToken();

/**
 * Applies commands one after the other, and then ticks once.
 * @throws CronkeeperError as {@link applyCommand}; as the tick, where that is what was asked for.
 */
export async function carryOut(sent: readonly Sent[], invocation: Invocation<CommandKeeper>): Promise<CommandResult> {
  const { keeper, stack } = invocation;
  const commands = sent.map(({ command }) => command);
  const done: Applied[] = [];
  for (const { command, sender } of sent) done.push(await applyCommand(command, sender, keeper, stack.log));
  const launches = done.flatMap((each) => each.launches);
  const refused = done.flatMap((each) => each.refused);
  const ticks = commands.filter((command) => command.kind === 'tick');
  if (commands.length === 0) return { launches, refused };
  const lingerMs = Math.max(...ticks.map((command) => command.lingerMs ?? invocation.lingerMs));
  const tick =
    ticks.length > 0
      ? await tickNow(invocation, lingerMs)
      : await tickAfter(
          invocation,
          done.flatMap((each) => each.tasks),
        );
  return { launches, refused, ...(tick !== undefined && { tick }) };
}

/**
 * Applies a command; a tick is left to the caller.
 * @throws CronkeeperError as the registry does; `unavailable` when a task could not take an event for now, and it should be
 * delivered again.
 */
export async function applyCommand(
  command: Command,
  sender: string,
  keeper: CommandKeeper,
  log: Log,
): Promise<Applied> {
  if (command.kind === 'tick') return { ...NOTHING, tasks: [] };
  const { launches, refused } = await apply(command, keeper.as(sender), keeper);
  const ids = launches.map(({ launchId }) => launchId);
  log('info', 'command', { ...named(command), ...(ids.length > 0 && { launches: ids }) });
  for (const { taskId, message } of refused) log('warn', 'launch refused', { taskId, error: message });
  return { launches, refused, tasks: dueNow(command, launches) };
}

/** Tasks in which something may be due now. */
function dueNow(command: Change, launches: Emitted['launches']): readonly string[] {
  switch (command.kind) {
    case 'pause':
    case 'remove':
      return [];
    case 'emit':
      return launches.map(({ launchId }) => taskOfLaunch(launchId));
    case 'put':
      return [(command.task as TaskDocument).id];
    default:
      return [command.taskId];
  }
}

type Change = Exclude<Command, { readonly kind: 'tick' }>;

const NOTHING: Emitted = { launches: [], refused: [] };

async function apply(command: Change, tasks: Tasks, keeper: Pick<CommandKeeper, 'emit'>): Promise<Emitted> {
  switch (command.kind) {
    case 'run': {
      const { taskId, input, key } = command;
      const launch = await tasks.run(taskId, { key, ...(input !== undefined && { input }) });
      return { ...NOTHING, launches: [launch] };
    }
    case 'put':
      // It is looked into there, as any document is.
      await tasks.put(command.task as TaskDocument);
      return NOTHING;
    case 'emit':
      return keeper.emit(command.event);
    default:
      await tasks[command.kind](command.taskId);
      return NOTHING;
  }
}

/** What of a command is worth a line; not its input, nor a document. */
function named(command: Change): LogFields {
  const { kind } = command;
  if (kind === 'emit') {
    const { id: eventId, source, detailType } = command.event;
    return { command: kind, eventId, source, detailType };
  }
  return { command: kind, taskId: kind === 'put' ? (command.task as Partial<TaskDocument>).id : command.taskId };
}
