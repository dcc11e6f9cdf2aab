/** Handlers for AWS Lambda: middy around one call each. What they open stays warm between invocations. */
export { type ApiHandler, type ApiHandlerOptions, createApiHandler } from './lambda/api.ts';
export type { CommandHandlerOptions, CommandKeeper, CommandResult } from './lambda/command.ts';
export { createEventHandler, type EventHandler } from './lambda/event.ts';
export { createQueueHandler, type QueueHandler, type QueueResult } from './lambda/queue.ts';
export { createTickHandler, type TickHandler, type TickHandlerOptions } from './lambda/tick.ts';
export { createTopicHandler, type TopicHandler } from './lambda/topic.ts';
