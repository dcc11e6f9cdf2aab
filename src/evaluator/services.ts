/**
 * What the engine lacks and the host answers on the spot, in the worker: text in, text out. A service computes; it
 * knows nothing of the run, keeps nothing of it, and takes little time whatever it is asked.
 */

/** UTF-8 bytes of a question. */
export const SERVICE_BYTES = 64 * 1024;

type Service = (text: string) => string;

/** By letter. */
const SERVICES: ReadonlyMap<string, Service> = new Map();

/** `question` is the service's letter and what it is asked. */
export function serve(question: string): string | undefined {
  return SERVICES.get(question.slice(0, 1))?.(question.slice(1));
}
