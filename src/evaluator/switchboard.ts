/** Host calls of one worker, on the main thread: which of them are begun, who is asked, and how answers travel back. */
import { afterMicrotasks } from '../clock.ts';
import type { Board } from './board.ts';
import { answerCall, answerFetch } from './capability.ts';
import type { Flight } from './flight.ts';
import type { Answer, HostCall, Reply } from './messages.ts';

/**
 * Characters of answers on their way to a worker, above which no more host calls are begun, and responses to requests
 * that were begun before are dropped. A worker at a long stint takes none in: they would pile up for as long.
 */
const ANSWER_CHARS_MAX = 32 * 1024 * 1024;
const RESPONSE_CHARS_MAX = 2 * ANSWER_CHARS_MAX;
const DROPPED: Answer = 'Etoo many responses are on their way to runs; this one was dropped';

export class Switchboard {
  readonly #board: Board;
  readonly #send: (replies: readonly Reply[]) => void;
  readonly #calls: HostCall[] = [];
  readonly #replies: Reply[] = [];
  /** Of all answers so far; wraps around. */
  #answerChars = 0;

  /** `send` takes answers to the worker; those that are there at the same time travel together. */
  constructor(board: Board, send: (replies: readonly Reply[]) => void) {
    this.#board = board;
    this.#send = send;
  }

  take(calls: readonly HostCall[]): void {
    this.#calls.push(...calls);
  }

  /** The next call to be answered, unless too much is on its way already. */
  next(): HostCall | undefined {
    return this.#charsUnderWay <= ANSWER_CHARS_MAX ? this.#calls.shift() : undefined;
  }

  async answer({ seq, kind, call, name, args }: HostCall, flight: Flight): Promise<void> {
    const given = await (kind === 'fetch'
      ? answerFetch(flight.fetch, args, flight.over)
      : answerCall(flight.capabilities, name, args));
    const isTooMuch = kind === 'fetch' && this.#charsUnderWay > RESPONSE_CHARS_MAX;
    const answer = isTooMuch ? DROPPED : given;
    this.#answerChars = (this.#answerChars + answer.length) | 0;
    if (this.#replies.push({ seq, call, answer }) === 1) afterMicrotasks(() => this.#send(this.#replies.splice(0)));
  }

  get #charsUnderWay(): number {
    return this.#board.untaken(this.#answerChars);
  }
}
