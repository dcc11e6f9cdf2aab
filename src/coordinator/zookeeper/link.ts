/**
 * One session over connections that come and go: every request is answered, or told by its deadline what is known of
 * its outcome; a server that falls silent is left for another; a session that cannot be alive any more is given up.
 */
import type { Cancel, Clock, EpochMs } from '../../clock.ts';
import { CoordinatorError } from '../../coordinator.ts';
import { isCronkeeperError, messageOf } from '../../errors.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { closeRequest, type Request } from './request.ts';

/** Requests waiting or in flight on one session. */
const EXCHANGES_MAX = 10_000;
/** Whoever asks wants to know soon: the next tick is the retry. */
const OP_TIMEOUT_MIN_MS = 2000;
const OP_TIMEOUT_MAX_MS = 3500;
/** Calls that follow each other in one outage share the time since a server was last heard; each has a little of its own. */
const UNHEARD_MAX_MS = 3500;
const LAST_CHANCE_MS = 750;
/** A server that says nothing for so long, not even to pings, is left for the next, while a call has time for that. */
const SILENCE_MAX_MS = 2500;
/** To say good-bye to a server that is not there any more. The session's time-out says it for us. */
const UNHEARD_CLOSE_MS = 500;
/** For the TCP connection and the server's greeting together; as long as there is time to try them all. */
const HANDSHAKE_TIMEOUT_MIN_MS = 500;
const BEATS_PER_TIMEOUT = 6;
const BEAT_MAX_MS = 1000;

export interface LinkOptions extends ConnectionOptions {
  /** For messages. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Default: two thirds of the session time-out that the server grants, 2 to 3.5 s, and less in an outage. */
  readonly opTimeoutMs?: number | undefined;
}

export class Link {
  readonly #clock: Clock;
  readonly #options: LinkOptions;
  readonly #connection: Connection;
  readonly #ended = new AbortController();
  /** In the order of submission; not on the wire, because there is none. */
  #waiting: Request[] = [];
  #exchanges = 0;
  #isEstablished = false;
  /** Set when nothing more is accepted: the session is being closed, or has ended. */
  #refusal: CoordinatorError | undefined;
  #whenUp: () => void = () => {};
  #cancelBeat: Cancel = () => {};
  #beatDueMs: EpochMs = 0;
  readonly #connectDeadlineMs: EpochMs;
  #closing: Promise<void> | undefined;

  /** Starts to connect; see {@link established}. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#connectDeadlineMs = options.clock.elapsed() + options.connectTimeoutMs;
    this.#connection = new Connection(options, {
      onUp: () => this.#onUp(),
      onExpired: () => this.#end(new CoordinatorError('session-lost', `session ${this.sessionId} has expired`)),
      onAuthenticationFailed: () =>
        this.#end(new CoordinatorError('forbidden', `${options.url} refuses the user and password`)),
    });
    this.#connection.connect();
    this.#scheduleBeat(this.#handshakeTimeoutMs);
  }

  /** Aborts when the session has ended. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get sessionId(): string {
    return this.#connection.sessionId;
  }

  /** When a call that starts now must have settled. */
  deadline(): EpochMs {
    const nowMs = this.#clock.elapsed();
    if (this.#options.opTimeoutMs !== undefined) return nowMs + this.#options.opTimeoutMs;
    const sharedMs = Math.max(LAST_CHANCE_MS, this.#connection.heardMs + UNHEARD_MAX_MS - nowMs);
    return nowMs + Math.min(this.#opTimeoutMs, sharedMs);
  }

  get #opTimeoutMs(): number {
    return Math.min(OP_TIMEOUT_MAX_MS, Math.max(OP_TIMEOUT_MIN_MS, (this.#connection.sessionTimeoutMs * 2) / 3));
  }

  /** When connecting must be over, with whatever is asked of the server before the session is of use. */
  get connectDeadlineMs(): EpochMs {
    return this.#connectDeadlineMs;
  }

  /** Rejects with `unavailable` after `connectTimeoutMs`, with `forbidden` when the server does not let us in. */
  established(): Promise<void> {
    const { connectTimeoutMs, url } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(connectTimeoutMs, () => {
        const cause = this.#connection.lastError;
        const reason = cause === undefined ? 'no server answered' : `last error: ${cause}`;
        this.#end(new CoordinatorError('unavailable', `${url} not reached in ${connectTimeoutMs} ms (${reason})`));
      });
      this.#whenUp = () => {
        cancel();
        resolve();
      };
      this.signal.addEventListener('abort', () => {
        cancel();
        reject(this.signal.reason);
      });
    });
  }

  /**
   * Sends a request once, in the order of the calls; `decode` runs as soon as the reply is there, before anything that
   * follows it on the wire.
   *
   * Rejects with `outcome-unknown` when it was sent and the connection broke or the deadline passed, with `unavailable`
   * when it was not sent by then, with `session-lost` when the session ended first.
   */
  exchange<T>(request: Request, decode: (frame: Buffer) => T, deadlineMs: EpochMs): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    if (this.#exchanges >= EXCHANGES_MAX) {
      return Promise.reject(new CoordinatorError('too-large', `more than ${EXCHANGES_MAX} requests are in flight`));
    }
    if (this.#clock.elapsed() >= deadlineMs) return Promise.reject(this.#expire(request));
    return this.#submit(request, decode, deadlineMs);
  }

  /** Repeats a request that does no harm when done twice, until it is answered. At the deadline: `unavailable`. */
  async exchangeIdempotent<T>(encode: () => Request, decode: (frame: Buffer) => T, deadlineMs: EpochMs): Promise<T> {
    for (;;) {
      try {
        return await this.exchange(encode(), decode, deadlineMs);
      } catch (error) {
        if (!isCronkeeperError(error, 'outcome-unknown')) throw error;
        if (this.#clock.elapsed() >= deadlineMs) throw new CoordinatorError('unavailable', error.message);
      }
    }
  }

  /** Ends the session on the server if it can be reached before the deadline, and in any case here. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#refusal === undefined) {
      const closed = new CoordinatorError('session-lost', `session ${this.sessionId} was closed`);
      this.#refuse(closed);
      await this.#closeOnServer();
      this.#end(closed);
    }
    await this.#connection.stop();
  }

  /** A server that has done it says so before it hangs up; if the answer is lost, the next one calls us expired. */
  async #closeOnServer(): Promise<void> {
    // However long a call may take: whoever leaves, or could not connect, has no use for the answer.
    const patienceMs = this.#isHeard ? UNHEARD_MAX_MS : UNHEARD_CLOSE_MS;
    const deadlineMs = Math.min(this.deadline(), this.#clock.elapsed() + patienceMs);
    while (!this.signal.aborted && this.#clock.elapsed() < deadlineMs) {
      const answered = await this.#submit(closeRequest(), () => true, deadlineMs).catch(() => false);
      if (answered) return;
    }
  }

  /** Whether a server has answered the latest pings. */
  get #isHeard(): boolean {
    return this.#connection.isUp && this.#clock.elapsed() - this.#connection.heardMs < 2 * this.#beatMs;
  }

  #submit<T>(request: Request, decode: (frame: Buffer) => T, deadlineMs: EpochMs): Promise<T> {
    const reply = new Promise<T>((resolve, reject) => {
      this.#exchanges++;
      const settle = () => {
        cancel();
        request.onReply = request.onFail = () => {};
        this.#exchanges--;
      };
      const cancel = this.#clock.after(deadlineMs - this.#clock.elapsed(), () => request.onFail(this.#expire(request)));
      request.onReply = (frame) => {
        settle();
        try {
          resolve(decode(frame));
        } catch (error) {
          reject(isCronkeeperError(error) ? error : unreadable(error));
        }
      };
      request.onFail = (error) => {
        settle();
        reject(error);
      };
    });
    if (this.#connection.isUp) this.#connection.send(request);
    else this.#waiting.push(request);
    return reply;
  }

  /** The deadline has passed. What was not sent by now never will be. */
  #expire(request: Request): CoordinatorError {
    if (request.sent) return new CoordinatorError('outcome-unknown', `${this.#options.url} did not answer in time`);
    this.#waiting = this.#waiting.filter((other) => other !== request);
    return new CoordinatorError('unavailable', `${this.#options.url} was not reachable in time; nothing was sent`);
  }

  #onUp(): void {
    this.#isEstablished = true;
    this.#whenUp();
    for (const request of this.#waiting.splice(0)) this.#connection.send(request);
  }

  /** From here on nothing is accepted, and what was not sent will not be. */
  #refuse(error: CoordinatorError): void {
    this.#refusal = error;
    for (const request of this.#waiting.splice(0)) request.onFail(error);
  }

  #end(error: CoordinatorError): void {
    if (this.signal.aborted) return;
    this.#cancelBeat();
    this.#refuse(error);
    void this.#connection.stop();
    this.#ended.abort(error);
  }

  /**
   * Six times per session time-out, and every second at least: says that we are alive, whether or not the socket is idle
   * (the client pings only an idle one, and incoming events count), and looks whether the server is.
   *
   * A session that has heard nothing for its whole time-out is given up, as Curator does: by now the servers, if they
   * are well, have ended it, and a holder that went on would only find that out later.
   */
  #beat(): void {
    const nowMs = this.#clock.elapsed();
    const unheardMs = nowMs - this.#connection.heardMs;
    if (this.#isEstablished && unheardMs >= this.#connection.sessionTimeoutMs) {
      const heardNothing = `nothing heard from ${this.#options.url} for ${Math.round(unheardMs)} ms`;
      this.#end(new CoordinatorError('session-lost', `${heardNothing}: session ${this.sessionId} is given up`));
      return;
    }
    const { isUp } = this.#connection;
    const patienceMs = isUp ? this.#silenceMaxMs : this.#handshakeTimeoutMs;
    const leftMs = patienceMs - (isUp ? unheardMs : nowMs - this.#connection.attemptMs);
    // Timers go before sockets: after a hold-up of this process, what was said meanwhile has not been heard yet.
    const isHeldUp = nowMs - this.#beatDueMs >= this.#beatMs;
    if (leftMs <= 0 && !isHeldUp) {
      this.#connection.drop(isUp ? 'the server is silent' : 'no answer to the handshake');
      this.#scheduleBeat(this.#handshakeTimeoutMs);
      return;
    }
    if (isUp) this.#connection.ping();
    this.#scheduleBeat(leftMs > 0 ? leftMs : LAST_CHANCE_MS);
  }

  /** Leaves the calls that wait for a silent server the time to be made at the next. */
  get #silenceMaxMs(): number {
    const timeoutMs = this.#connection.sessionTimeoutMs;
    return Math.min(SILENCE_MAX_MS, (timeoutMs * 2) / 3, this.#opTimeoutMs - LAST_CHANCE_MS);
  }

  get #handshakeTimeoutMs(): number {
    const { servers, connectTimeoutMs } = this.#options;
    // A session that is to be made asks for a decision of the ensemble, which a loaded one takes its time for; and one that
    // is to be kept has little left.
    const shareMs = this.#isEstablished
      ? Math.min(this.#connection.sessionTimeoutMs / 3, connectTimeoutMs) / servers.length
      : connectTimeoutMs / (servers.length + 1);
    return Math.max(HANDSHAKE_TIMEOUT_MIN_MS, shareMs);
  }

  get #beatMs(): number {
    return Math.min(BEAT_MAX_MS, this.#connection.sessionTimeoutMs / BEATS_PER_TIMEOUT);
  }

  /** No later than `withinMs`, when something has to be looked at by then. */
  #scheduleBeat(withinMs: number): void {
    const delayMs = Math.min(this.#beatMs, withinMs);
    this.#beatDueMs = this.#clock.elapsed() + delayMs;
    this.#cancelBeat = this.#clock.after(delayMs, () => this.#beat());
  }
}

const unreadable = (cause: unknown): CoordinatorError =>
  new CoordinatorError('internal', `a reply could not be read: ${messageOf(cause)}`, { cause });
