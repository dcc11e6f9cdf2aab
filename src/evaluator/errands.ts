/** What a run waits for outside of the engine: answers to its host calls, and its timers; both counted. */
import type { Cancel, Clock } from '../clock.ts';
import type { Limits } from '../evaluator.ts';
import type { Answer, CallKind } from './messages.ts';

/** UTF-8 bytes of a host call's name and arguments. */
export const CALL_BYTES = 256 * 1024;

/** Where they are run. */
export interface Outside {
  readonly clock: Clock;
  readonly ask: (kind: CallKind, call: string, name: string, args: string) => void;
}

export class Errands {
  readonly #limits: Limits;
  readonly #outside: Outside;
  readonly #fire: (timer: string) => void;
  readonly #calls = new Set<string>();
  readonly #timers = new Map<string, Cancel>();
  /** Answers that need nobody else; delivered when the guest has run dry. */
  readonly #answers: (readonly [call: string, answer: Answer])[] = [];
  #made = 0;
  #denied = false;

  constructor(limits: Limits, outside: Outside, fire: (timer: string) => void) {
    this.#limits = limits;
    this.#outside = outside;
    this.#fire = fire;
  }

  /** Host calls so far, refused ones left out. */
  get hostCalls(): number {
    return this.#made;
  }

  /** Something was denied, by the worker or by the main thread. */
  get denied(): boolean {
    return this.#denied;
  }

  /** Nothing outside will ever wake the run. */
  get isEmpty(): boolean {
    return this.#calls.size === 0 && this.#timers.size === 0;
  }

  /** `<id>\n<name>\n<arguments>`, of which `bytes` is the whole length. */
  call(text: string, bytes: number): void {
    const [id = '', name = '', ...rest] = text.split('\n');
    this.#ask('call', id, name, rest.join('\n'), bytes);
  }

  /** `<id>\n<request>`. */
  fetch(text: string, bytes: number): void {
    const [id = '', ...rest] = text.split('\n');
    this.#ask('fetch', id, '', rest.join('\n'), bytes);
  }

  #ask(kind: CallKind, id: string, name: string, args: string, bytes: number): void {
    if (!this.#count(id)) return;
    if (bytes > CALL_BYTES) {
      this.#answers.push([id, `Ethe arguments have ${bytes} bytes; ${CALL_BYTES} are allowed`]);
      return;
    }
    this.#calls.add(id);
    this.#outside.ask(kind, id, name, args);
  }

  #count(id: string): boolean {
    const { hostCalls } = this.#limits;
    if (this.#made < hostCalls) {
      this.#made++;
      return true;
    }
    this.#answers.push([id, `Eno more than ${hostCalls} host calls are allowed`]);
    return false;
  }

  /** An answer from outside; false when nobody waits for it. */
  settle(call: string, answer: Answer): boolean {
    if (answer.startsWith('D')) this.#denied = true;
    return this.#calls.delete(call);
  }

  nextAnswer(): readonly [call: string, answer: Answer] | undefined {
    return this.#answers.shift();
  }

  /** `<id>\n<delay in ms>`; the answer says why not. */
  setTimer(text: string): string | undefined {
    const { timers } = this.#limits;
    if (this.#timers.size >= timers) return `no more than ${timers} timers may be pending at a time`;
    const [id = '', delay = ''] = text.split('\n');
    const fire = () => {
      this.#timers.delete(id);
      this.#fire(id);
    };
    this.clearTimer(id);
    this.#timers.set(id, this.#outside.clock.after(Number(delay) || 0, fire));
    return undefined;
  }

  clearTimer(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  /** The run is over. */
  drop(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#calls.clear();
    this.#answers.length = 0;
  }
}
