/** How many bytes of a guest's message are worth reading, by its letter, where the limits of the run do not say. */
import { CALL_BYTES } from './errands.ts';
import { SERVICE_BYTES } from './services.ts';

const ERROR_BYTES = 64 * 1024;
const LABEL_BYTES = 64;
const ALLOWANCES: ReadonlyMap<string, number> = new Map([
  ['N', ERROR_BYTES],
  ['E', ERROR_BYTES],
  ['C', CALL_BYTES],
  ['F', CALL_BYTES],
  ['S', SERVICE_BYTES],
]);

export const allowanceOf = (letter: string): number => ALLOWANCES.get(letter) ?? LABEL_BYTES;
