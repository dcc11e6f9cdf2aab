/** The clock of the cloud: an EventBridge Scheduler schedule, or a scheduled rule of EventBridge, as it comes by itself. */
import { isObject, type Trigger } from '../trigger.ts';

const SOURCES: ReadonlySet<unknown> = new Set(['aws.scheduler', 'aws.events']);

export const scheduleTrigger: Trigger = {
  name: 'a scheduled event of EventBridge',
  matches: (event) => isObject(event) && SOURCES.has(event.source) && event['detail-type'] === 'Scheduled Event',
  // Its time is that of the trigger, not of a slot: what is due is for the coordinator's clock to say.
  command: () => ({ kind: 'tick' }),
};
