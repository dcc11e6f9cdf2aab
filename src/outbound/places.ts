/** Places for work of which only so much may be under way at a time. Who finds none free waits in line. */
import { FetchFailed } from './failure.ts';

export class Places {
  #free: number;
  readonly #waitingMax: number;
  readonly #line: (() => void)[] = [];

  constructor(places: number, waitingMax = Number.POSITIVE_INFINITY) {
    this.#free = places;
    this.#waitingMax = waitingMax;
  }

  /** A place, to be disposed of. Rejects when the line is full, and with the signal's reason when it aborts. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else if (this.#line.length >= this.#waitingMax)
      throw new FetchFailed('too many requests are waiting; try again later');
    else await this.#wait(signal);
    return { [Symbol.dispose]: () => this.#leave() };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#line.splice(this.#line.indexOf(enter), 1);
        reject(signal.reason);
      };
      this.#line.push(enter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** To the next in line, if there is one. */
  #leave(): void {
    const enter = this.#line.shift();
    if (enter === undefined) this.#free++;
    else enter();
  }
}
