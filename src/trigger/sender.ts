/** Who sends what comes to a function, as the audit trail names them: a queue, a topic, a bus, or whoever calls. Pure. */
import { principalOf } from '../audit.ts';
import { isObject } from '../trigger.ts';

/**
 * @param message a record of a queue or a topic, or an event as it is. AWS says where it comes from; what is in it does
 * not: whoever may send to a queue is the queue here.
 */
export function senderOf(message: unknown): string {
  if (!isObject(message)) return DIRECT;
  const { eventSourceARN, Sns, source, 'detail-type': detailType } = message;
  if (typeof eventSourceARN === 'string') return principalOf('sqs', eventSourceARN);
  if (isObject(Sns) && typeof Sns.TopicArn === 'string') return principalOf('sns', Sns.TopicArn);
  if (typeof source === 'string' && detailType !== undefined) return principalOf('eventbridge', source);
  return DIRECT;
}

/** Somebody who may invoke the function: Lambda does not say who. */
const DIRECT = 'lambda:invoke';
