/** A topic's messages → commands, and one tick. Configured by the environment, see `src/config.ts`. */
import '../src/keeping.ts'; // needed by every event: loaded before the first one
import { createTopicHandler } from '../src/lambda/topic.ts';

export const handler = createTopicHandler();
