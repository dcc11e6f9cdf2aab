/** A courier for tests: it keeps what it is given, and answers what the test says. */
import type { Courier, Letter } from '../../src/courier.ts';
import { addressOf } from '../../src/destination.ts';
import type { Message, Told } from '../../src/mail.ts';

export interface Mailroom {
  readonly courier: Courier;
  /** Every letter that was sent, in order. */
  readonly letters: readonly Letter[];
  /** Keys of the letters that were taken, in order. */
  readonly keys: readonly string[];
  readonly messages: readonly Message[];
}

export const DELIVERED: Told = { is: 'delivered' };
export const LATER: Told = { is: 'later', problem: 'it answered 503' };

/** `answer` is asked for each letter; default: all are taken. */
export function mailroom(answer: (letter: Letter) => Told | Promise<Told> = () => DELIVERED): Mailroom {
  const letters: Letter[] = [];
  const messages: Message[] = [];
  const keys: string[] = [];
  return {
    letters,
    messages,
    keys,
    courier: async (letter) => {
      letters.push(letter);
      messages.push(letter.message);
      const told = await answer(letter);
      if (told.is === 'delivered') keys.push(`${letter.message.idempotencyKey} ${addressOf(letter.destination)}`);
      return told;
    },
  };
}
