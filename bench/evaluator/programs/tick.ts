/** Timed: a handler of the tick, whose module is the argument, with one launch due. The environment says where. */
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import type { TickHandler } from '../../../src/lambda/tick.ts';
import { DONE } from '../../child.ts';

const TIME_LEFT_MS = 60_000;

const { handler } = (await import(pathToFileURL(process.argv[2]!).href)) as { readonly handler: TickHandler };
const context: Partial<Context> = { getRemainingTimeInMillis: () => TIME_LEFT_MS };
const { succeeded } = await handler({}, context as Context);
if (succeeded === 1) process.stdout.write(`${DONE}\n`);
