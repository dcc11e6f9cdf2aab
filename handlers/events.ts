/** Events of a bus, and commands → launches, and one tick. Configured by the environment, see `src/config.ts`. */
import '../src/keeping.ts'; // needed by every event: loaded before the first one
import { createEventHandler } from '../src/lambda/event.ts';

export const handler = createEventHandler();
