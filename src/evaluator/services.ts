/**
 * What the engine lacks and the host answers on the spot, in the worker: text in, text out. A service computes; it
 * knows nothing of the run, keeps nothing of it, and takes little time whatever it is asked.
 */
import { decode, encode, encodingOf } from './services/text.ts';
import { changeUrl, parseUrl } from './services/url.ts';
import { zoneAt } from './services/zone.ts';

/** UTF-8 bytes of a question. */
export const SERVICE_BYTES = 64 * 1024;

/** Undefined: it does not understand the question, be it damaged or cut off. */
type Service = (text: string) => string | undefined;

/** By letter. */
const SERVICES: ReadonlyMap<string, Service> = new Map([
  ['D', decode],
  ['E', encode],
  ['N', encodingOf],
  ['P', changeUrl],
  ['U', parseUrl],
  ['Z', zoneAt],
]);

/** `question` is the service's letter and what it is asked. */
export function serve(question: string): string | undefined {
  try {
    return SERVICES.get(question.slice(0, 1))?.(question.slice(1));
  } catch {
    return undefined;
  }
}
