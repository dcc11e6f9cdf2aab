/** A scheduled event, or a command → one tick. Configured by the environment, see `src/config.ts`. */
import { createTickHandler } from '../src/lambda/tick.ts';

export const handler = createTickHandler();
