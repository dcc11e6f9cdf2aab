/** Handlers for AWS Lambda: middy around one call each. What they open stays warm between invocations. */
export { type ApiHandler, type ApiHandlerOptions, createApiHandler } from './lambda/api.ts';
export { createTickHandler, type TickHandler, type TickHandlerOptions } from './lambda/tick.ts';
