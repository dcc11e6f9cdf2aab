/** A queue's messages → commands, and one tick. Configured by the environment, see `src/config.ts`. */
import '../src/keeping.ts'; // needed by every event: loaded before the first one
import { createQueueHandler } from '../src/lambda/queue.ts';

export const handler = createQueueHandler();
