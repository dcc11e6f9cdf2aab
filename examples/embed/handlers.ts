/** The functions of one's own serverless project: the same engine, with capabilities of one's own. */
import { createEventHandler, createQueueHandler, createTickHandler } from 'cronkeeper';
import { capabilities } from './capabilities.ts';

/** Where the tasks are, comes from the environment: CRONKEEPER_URL and its neighbours. */
export const tick = createTickHandler({ capabilities, lingerMs: 55_000 });
export const queue = createQueueHandler({ capabilities });
export const events = createEventHandler({ capabilities });
