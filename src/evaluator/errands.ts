/**
 * What a run waits for outside of the engine: answers to its host calls, and its timers; both counted. Everything that
 * reaches the run comes in the order of the run's own time, so that the answers and their times are all that is needed
 * to repeat it.
 */
import { hash } from 'node:crypto';
import { ANSWERS_CHARS_MAX, type Limits, type RecordedAnswer } from '../evaluator.ts';
import type { Answer, CallKind } from './messages.ts';

/** UTF-8 bytes of a host call's name and arguments. */
export const CALL_BYTES = 256 * 1024;
/** Hex digits by which a repeated run is seen to ask the same. */
const DIGEST_CHARS = 16;
/** The longest delay of a timer, as in Node: a signed 32-bit number. */
const DELAY_MAX_MS = 2 ** 31 - 1;

const NO_ANSWER = '';
const NEVER = { atMs: 0, answer: NO_ANSWER } as const;

/** What a run is woken for. */
export type Wake =
  | { readonly at: number; readonly timer: string }
  | { readonly at: number; readonly call: number; readonly answer: Answer };

/** Asks somebody outside. */
export type Ask = (kind: CallKind, call: number, name: string, args: string) => void;

interface Answered {
  readonly call: number;
  readonly answer: Answer;
}

type ToldLimit = 'HostCallLimit' | 'ConcurrencyLimit' | 'TimerLimit';

interface Timer {
  readonly id: string;
  readonly dueMs: number;
}

export class Errands {
  readonly #limits: Limits;
  readonly #ask: Ask;
  /** Repeats a run: answers that have not been given yet, in their order. */
  readonly #script: RecordedAnswer[] | undefined;
  /** Calls of the run that is repeated, to which it saw no answer before its end. */
  readonly #waitedInVain: readonly RecordedAnswer[];
  /** Calls that are pending, by their numbers, and digests of what they ask. */
  readonly #calls = new Map<number, string>();
  /** By time; of the same time, by when they were set. */
  readonly #timers: Timer[] = [];
  /** Answers that came from outside. */
  readonly #arrived: Answered[] = [];
  readonly #given: RecordedAnswer[] = [];
  #givenChars = 0;
  #made = 0;
  #diverged: string | undefined;
  readonly #told = new Set<string>();

  constructor(limits: Limits, ask: Ask, answers?: readonly RecordedAnswer[]) {
    this.#limits = limits;
    this.#ask = ask;
    this.#script = answers?.filter(({ answer }) => answer !== NO_ANSWER);
    this.#waitedInVain = answers?.filter(({ answer }) => answer === NO_ANSWER) ?? [];
  }

  /** Host calls so far, refused ones left out. */
  get hostCalls(): number {
    return this.#made;
  }

  /** Names of the errors that the run was told of, by the worker or by the main thread. */
  get told(): ReadonlySet<string> {
    return this.#told;
  }

  /** A repeated run has asked something that the recorded one did not. */
  get diverged(): string | undefined {
    return this.#diverged;
  }

  /** The first call that a repeated run waits for, and that the recorded one did not make. */
  get unanswered(): string | undefined {
    if (this.#script === undefined) return undefined;
    const first = [...this.#calls.keys()].find((index) => !this.#waitedInVain.some(({ call }) => call === index));
    return first === undefined ? undefined : `the recorded run saw no answer to host call ${first}`;
  }

  /** A repeated run that has run dry waits for what comes after its time: for a timer, or as the recorded one did. */
  get isLate(): boolean {
    const waits = this.#timers.length > 0 || this.#calls.size > 0;
    return this.#script !== undefined && waits && this.unanswered === undefined;
  }

  /** What the run was answered, for those who want to repeat it; with the calls to which it has seen no answer. */
  get given(): readonly RecordedAnswer[] | 'too-large' {
    if (this.#givenChars > ANSWERS_CHARS_MAX) return 'too-large';
    if (this.#calls.size === 0) return this.#given;
    const waiting = Array.from(this.#calls, ([call, request]) => ({ ...NEVER, call, request }));
    return [...this.#given, ...waiting];
  }

  /** A JSON list, or `too-large`, or nothing when the host was asked nothing. */
  get givenJson(): string {
    const { given } = this;
    return given === 'too-large' ? given : given.length === 0 ? '' : JSON.stringify(given);
  }

  /** Nothing outside will ever wake the run. */
  get isEmpty(): boolean {
    return this.#script !== undefined || (this.#timers.length === 0 && this.#calls.size === 0);
  }

  /**
   * `<name>\n<arguments>`, of which `bytes` is the whole length. The answer is `P` and the call's number, or, at once,
   * why there is no such call: `L` and a limit's error class and message, on two lines; or `E` and a message.
   */
  call(text: string, bytes: number): string {
    const nameEnd = text.indexOf('\n');
    return this.#request('call', text.slice(0, nameEnd), text.slice(nameEnd + 1), bytes);
  }

  /** `<request>`; answered likewise. */
  fetch(text: string, bytes: number): string {
    return this.#request('fetch', '', text, bytes);
  }

  #request(kind: CallKind, name: string, args: string, bytes: number): string {
    const refusal = this.#refuse(bytes);
    if (refusal !== undefined) return refusal;
    const index = ++this.#made;
    const request = hash('sha256', `${kind}\n${name}\n${args}`).slice(0, DIGEST_CHARS);
    this.#calls.set(index, request);
    if (this.#script === undefined) this.#ask(kind, index, name, args);
    else this.#compare(index, request, `${kind} ${name}`.trim());
    return `P${index}`;
  }

  #refuse(bytes: number): string | undefined {
    const { hostCalls, concurrentCalls } = this.#limits;
    if (this.#made >= hostCalls) {
      return `L${this.#tell('HostCallLimit', `no more than ${hostCalls} host calls are allowed`)}`;
    }
    if (this.#calls.size >= concurrentCalls) {
      return `L${this.#tell('ConcurrencyLimit', `no more than ${concurrentCalls} host calls may be pending at a time`)}`;
    }
    return bytes > CALL_BYTES ? `Ethe arguments have ${bytes} bytes; ${CALL_BYTES} are allowed` : undefined;
  }

  /** How the guest is told of a limit. */
  #tell(limit: ToldLimit, message: string): string {
    this.#told.add(limit);
    return `${limit}\n${message}`;
  }

  #compare(index: number, request: string, what: string): void {
    const recorded = [...(this.#script ?? []), ...this.#waitedInVain].find(({ call }) => call === index);
    if (recorded === undefined || recorded.request === request) return;
    this.#diverged ??= `host call ${index} (${what}) is not the one of the recorded run`;
  }

  /** An answer from outside; false when nobody waits for it. */
  arrive(call: number, answer: Answer): boolean {
    if (!this.#calls.has(call)) return false;
    this.#arrived.push({ call, answer });
    return true;
  }

  /** `<id>\n<delay in ms>`; the answer says why not. */
  setTimer(text: string, nowMs: number): string | undefined {
    const { timers } = this.#limits;
    if (this.#timers.length >= timers) {
      return this.#tell('TimerLimit', `no more than ${timers} timers may be pending at a time`);
    }
    const [id = '', delay = ''] = text.split('\n');
    this.clearTimer(id);
    const dueMs = nowMs + Math.min(Math.max(Number(delay) || 0, 1), DELAY_MAX_MS);
    const at = this.#timers.findIndex((timer) => timer.dueMs > dueMs);
    this.#timers.splice(at < 0 ? this.#timers.length : at, 0, { id, dueMs });
    return undefined;
  }

  clearTimer(id: string): void {
    const at = this.#timers.findIndex((timer) => timer.id === id);
    if (at >= 0) this.#timers.splice(at, 1);
  }

  /** When the first timer is due, in the run's own time. A repeated run waits for nothing. */
  get nextTimerMs(): number | undefined {
    return this.#timers[0]?.dueMs;
  }

  /**
   * What the run, having run dry at `nowMs` of its own time, is to be woken for next; it is then no longer waited for.
   * Until `horizonMs`, time may pass.
   */
  next(nowMs: number, horizonMs: number): Wake | undefined {
    const [timer] = this.#timers;
    const recorded = this.#nextInScript();
    const endMs = this.#limits.wallMs;
    const untilMs = this.#script === undefined ? Math.max(nowMs, horizonMs) : (recorded?.atMs ?? endMs);
    if (timer !== undefined && timer.dueMs <= untilMs) {
      this.#timers.shift();
      return { at: timer.dueMs, timer: timer.id };
    }
    if (recorded !== undefined) return this.#repeat(recorded);
    const arrived = this.#arrived.shift();
    return arrived === undefined ? undefined : this.#give(arrived, untilMs);
  }

  /** The next recorded answer, if its call has been made. */
  #nextInScript(): RecordedAnswer | undefined {
    const next = this.#script?.[0];
    return next !== undefined && next.call <= this.#made ? next : undefined;
  }

  #repeat({ call, answer, atMs }: RecordedAnswer): Wake | undefined {
    this.#script?.shift();
    return this.#give({ call, answer: answer as Answer }, atMs);
  }

  /** Undefined when it has been answered already. */
  #give({ call, answer }: Answered, at: number): Wake | undefined {
    const request = this.#calls.get(call);
    if (request === undefined) return undefined;
    this.#calls.delete(call);
    if (answer[0] === 'D') this.#told.add('CapabilityDenied');
    this.#record({ call, request, atMs: at, answer });
    return { at, call, answer };
  }

  #record(given: RecordedAnswer): void {
    this.#givenChars += given.answer.length + DIGEST_CHARS;
    if (this.#givenChars > ANSWERS_CHARS_MAX) this.#given.length = 0;
    else this.#given.push(given);
  }

  /** The run is over. */
  drop(): void {
    this.#timers.length = 0;
    if (this.#calls.size > 0) this.#calls.clear();
    this.#arrived.length = 0;
  }
}
