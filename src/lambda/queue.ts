/**
 * A queue's messages as a Lambda handler: each is a command, applied once however often it is delivered; those that
 * failed go back alone. One tick follows the whole batch.
 */
import {
  BatchProcessor,
  EventType,
  processPartialResponse,
  SqsFifoPartialProcessorAsync,
} from '@aws-lambda-powertools/batch';
import type { SQSRecord } from 'aws-lambda';
import { CronkeeperError, isCronkeeperError, messageOf } from '../errors.ts';
import { senderOf } from '../trigger/sender.ts';
import { sqsTrigger } from '../trigger/sqs.ts';
import { commandOf, isObject, recordsOf, refused } from '../trigger.ts';
import { applyCommand, type CommandHandlerOptions, type CommandKeeper } from './command.ts';
import type { Handler } from './stack.ts';
import { budgetMs, type Invocation, tickAfter, tickNow } from './ticking.ts';
import { warm } from './warm.ts';

/** Lambda puts these messages back into the queue, and removes the others. */
export interface QueueResult {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export type QueueHandler = Handler<QueueResult>;

/** @throws CronkeeperError `invalid` at once, when neither options nor environment say where the tasks are. */
export function createQueueHandler({ lingerMs, ...options }: CommandHandlerOptions = {}): QueueHandler {
  const { keeper, config, stack } = warm<CommandKeeper>(options);

  return stack.around({ name: 'queue' }, async (event, context, { signal }) => {
    const records = messagesOf(event);
    if (records.length === 0) return { batchItemFailures: [] };
    const opened = await keeper();
    try {
      const invocation = { keeper: opened, stack, context, signal, lingerMs: lingerMs ?? config.lingerMs };
      return await new Batch(invocation).work(records);
    } finally {
      await opened.release();
    }
  });
}

/** One delivery of a queue's messages. */
class Batch {
  readonly #invocation: Invocation<CommandKeeper>;
  readonly #ticks: { readonly messageId: string; readonly lingerMs: number }[] = [];
  /** In which something may be due now. */
  readonly #tasks: string[] = [];
  /** The coordinator cannot be reached: the messages that are left are not even tried. */
  #down: CronkeeperError | undefined;

  constructor(invocation: Invocation<CommandKeeper>) {
    this.#invocation = invocation;
  }

  async work(records: readonly SQSRecord[]): Promise<QueueResult> {
    const { batchItemFailures } = await this.#applyAll(records);
    const unticked = await this.#tick();
    const failures = [...batchItemFailures, ...unticked.map((itemIdentifier) => ({ itemIdentifier }))];
    this.#invocation.stack.log('info', 'batch', { messages: records.length, failed: failures.length });
    return { batchItemFailures: failures };
  }

  #applyAll(records: readonly SQSRecord[]): Promise<QueueResult> {
    const batch = { Records: [...records] };
    const apply = (record: SQSRecord) => this.#apply(record);
    // Lambda learns more from a list of all than from an error.
    const options = { throwOnFullBatchFailure: false };
    if (isFifo(records)) {
      const processor = new SqsFifoPartialProcessorAsync();
      // What follows a failed message of its group waits for it.
      return processPartialResponse(batch, apply, processor, { ...options, skipGroupOnError: true });
    }
    // In order here too: a put and then a run in one batch are what their sender meant.
    return processPartialResponse(batch, apply, new BatchProcessor(EventType.SQS), {
      ...options,
      processInParallel: false,
    });
  }

  async #apply(record: SQSRecord): Promise<void> {
    const { keeper, lingerMs } = this.#invocation;
    const { log } = this.#invocation.stack;
    const { messageId } = record;
    if (this.#down !== undefined) throw this.#down;
    let isEvent = false;
    try {
      if (budgetMs(this.#invocation) === 0) throw new CronkeeperError('unavailable', 'the time was over');
      const command = commandOf(record, [sqsTrigger], messageId);
      isEvent = command.kind === 'emit';
      if (command.kind === 'tick') this.#ticks.push({ messageId, lingerMs: command.lingerMs ?? lingerMs });
      else this.#tasks.push(...(await applyCommand(command, senderOf(record), keeper, log)).tasks);
    } catch (error) {
      const code = isCronkeeperError(error) ? error.code : 'internal';
      log('error', 'message failed', { messageId, code, error: messageOf(error) });
      // A task that has no room for an event now says so in the same words: the others' messages are tried all the same.
      if (isCronkeeperError(error, 'session-lost') || (isCronkeeperError(error, 'unavailable') && !isEvent)) {
        this.#down = error;
      }
      throw error;
    }
  }

  /** Returns the messages that asked for a tick and got none. */
  async #tick(): Promise<readonly string[]> {
    if (this.#ticks.length === 0) {
      await tickAfter(this.#invocation, this.#tasks);
      return [];
    }
    try {
      await tickNow(this.#invocation, Math.max(...this.#ticks.map(({ lingerMs }) => lingerMs)));
      return [];
    } catch (error) {
      this.#invocation.stack.log('error', 'tick failed', { error: messageOf(error) });
      return this.#ticks.map(({ messageId }) => messageId);
    }
  }
}

const isFifo = (records: readonly SQSRecord[]): boolean =>
  records.some(({ eventSourceARN }) => String(eventSourceARN).endsWith('.fifo'));

/** Without a name, a message could not be told to have failed: then none is applied. @throws CronkeeperError `invalid` */
function messagesOf(event: unknown): readonly SQSRecord[] {
  const records = recordsOf(event, 'records of an SQS queue');
  const nameless = records.findIndex((record) => !isObject(record) || typeof record.messageId !== 'string');
  if (nameless >= 0) throw refused(`Records[${nameless}].messageId`, 'nothing', 'the id that SQS gives a message');
  return records as readonly SQSRecord[];
}
