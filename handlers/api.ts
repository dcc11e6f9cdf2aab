/** An HTTP request → the API. Configured by the environment, see `src/config.ts`. */
import '../src/keeping.ts'; // needed by every event: loaded before the first one
import { createApiHandler } from '../src/lambda/api.ts';

export const handler = createApiHandler();
