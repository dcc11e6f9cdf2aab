/** An HTTP request → the API. Configured by the environment, see `src/config.ts`. */
import { createApiHandler } from '../src/lambda/api.ts';

export const handler = createApiHandler();
