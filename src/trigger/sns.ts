/** A record of an SNS topic: a command, or what a bus has sent to the topic. */
import { isObject, type Trigger } from '../trigger.ts';
import { messageCommand } from './message.ts';

export const snsTrigger: Trigger = {
  name: 'a record of an SNS topic',
  matches: (record) =>
    isObject(record) &&
    record.EventSource === 'aws:sns' &&
    isObject(record.Sns) &&
    typeof record.Sns.MessageId === 'string',
  command: (record) => {
    const { Sns } = record as { readonly Sns: { readonly Message: unknown; readonly MessageId: string } };
    return messageCommand('Message', Sns.Message, Sns.MessageId);
  },
};
