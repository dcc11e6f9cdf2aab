/** Destinations as the seed makes them: they take a letter soon, late, not now or not at all. */
import type { Courier } from '../../src/courier.ts';
import { Dice } from './dice.ts';
import type { SimProcess } from './process.ts';

/** What a courier waits for an answer. */
const ANSWER_MS = 5_000;

export function simCourier(seed: number, process: SimProcess, onTaken: (key: string, url: string) => void): Courier {
  let sent = 0;
  return ({ destination, message }, signal) =>
    new Promise((resolve) => {
      const dice = new Dice(seed, `letter ${message.idempotencyKey}`, process.ordinal, sent++);
      const cutOff = () => resolve({ is: 'later', problem: 'cut off' });
      signal.addEventListener('abort', cutOff, { once: true });
      const isSilent = dice.hit(0.05);
      process.clock.after(isSilent ? ANSWER_MS : dice.between(1, 400), () => {
        if (signal.aborted) return;
        if (isSilent || dice.hit(0.2)) return resolve({ is: 'later', problem: 'it answered 503' });
        if ('url' in destination) onTaken(message.idempotencyKey, destination.url);
        resolve({ is: 'delivered' });
      });
    });
}
