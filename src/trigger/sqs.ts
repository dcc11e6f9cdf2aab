/** A record of an SQS queue: a command, or what a topic or a bus has put into the queue. */
import { isObject, type Trigger } from '../trigger.ts';
import { queuedCommand } from './message.ts';

export const sqsTrigger: Trigger = {
  name: 'a record of an SQS queue',
  matches: (record) => isObject(record) && record.eventSource === 'aws:sqs' && typeof record.messageId === 'string',
  command: (record) => {
    const { body, messageId } = record as { readonly body: unknown; readonly messageId: string };
    return queuedCommand('body', body, messageId);
  },
};
