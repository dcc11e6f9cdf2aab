/**
 * A client of the coordinator over a bad network: requests of a session go over one connection, in order, and so do the
 * replies. It fails as `src/coordinator/zookeeper/link.ts` does: what was sent and not answered when the connection breaks
 * or the deadline passes is `outcome-unknown`, or is asked again if it only reads; what was not sent is `unavailable`; a
 * session that has heard nothing for its time-out is given up.
 */
import { CoordinatorError, type Node, type Op, type OpResult, type Session } from '../../src/coordinator.ts';
import { isCronkeeperError } from '../../src/errors.ts';
import type { Dice } from './dice.ts';
import type { CallFault, Faults } from './faults.ts';
import type { SimProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface SessionWorld {
  readonly time: VirtualTime;
  readonly faults: Faults;
  readonly sessionTimeoutMs: number;
  expire(sessionId: string): void;
  silence(sessionId: string): () => void;
  /** Told of every transaction that was applied, at the moment at which it was. */
  readonly accepted: (session: SimSession, ops: readonly Op[], results: readonly OpResult[]) => void;
}

interface Request {
  readonly kind: 'read' | 'write' | 'close';
  readonly perform: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  isSent: boolean;
  isSettled: boolean;
  /** The server has it. */
  isServed: boolean;
}

/** The reconnection after a break that is no more than that. */
const RECONNECT_MS = [20, 800] as const;

export class SimSession implements Session {
  readonly id: string;
  readonly process: SimProcess;
  readonly #world: SessionWorld;
  readonly #inner: Session;
  readonly #ordinal: number;
  readonly #latency: Dice;
  readonly #ended = new AbortController();
  readonly #open = new Set<Request>();
  #calls = 0;
  #connection = 0;
  #isUp = true;
  #isRefusing = false;
  #lastArrivalMs = 0;
  #lastWriteMs = 0;
  #lastReplyMs = 0;
  #unsilence: (() => void) | undefined;
  readonly #unwatch: () => void;
  #firedWhileDown: (() => void)[] = [];

  constructor(world: SessionWorld, inner: Session, process: SimProcess, ordinal: number, latency: Dice) {
    this.#world = world;
    this.#inner = inner;
    this.process = process;
    this.#ordinal = ordinal;
    this.#latency = latency;
    this.id = inner.id;
    this.#unwatch = process.watch(() => this.#beatOrNot());
    inner.signal.addEventListener('abort', () => {
      if (this.#isUp) this.#reply(() => this.#end(inner.signal.reason as CoordinatorError));
    });
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get timeoutMs(): number {
    return Math.max(2_000, (this.#world.sessionTimeoutMs * 2) / 3);
  }

  get(path: string, onChange?: () => void): Promise<Node | undefined> {
    const watch = onChange && this.#once(onChange);
    return this.#call('read', () => this.#inner.get(path, watch)) as Promise<Node | undefined>;
  }

  getMany(paths: readonly string[]): Promise<(Node | undefined)[]> {
    const copy = [...paths];
    return this.#call('read', () => this.#inner.getMany(copy)) as Promise<(Node | undefined)[]>;
  }

  children(path: string): Promise<string[] | undefined> {
    return this.#call('read', () => this.#inner.children(path)) as Promise<string[] | undefined>;
  }

  childrenMany(paths: readonly string[]): Promise<(string[] | undefined)[]> {
    const copy = [...paths];
    return this.#call('read', () => this.#inner.childrenMany(copy)) as Promise<(string[] | undefined)[]>;
  }

  multi(ops: readonly Op[]): Promise<OpResult[]> {
    const copy = [...ops];
    const perform = async () => {
      const results = await this.#inner.multi(copy);
      this.#world.accepted(this, copy, results);
      return results;
    };
    return this.#call('write', perform) as Promise<OpResult[]>;
  }

  async close(): Promise<void> {
    if (!this.#isRefusing) {
      await this.#call('close', () => this.#inner.close()).catch(() => undefined);
      this.#end(new CoordinatorError('session-lost', `session ${this.id} was closed`));
    }
  }

  #call(kind: Request['kind'], perform: Request['perform']): Promise<unknown> {
    if (this.#isRefusing) {
      const refused = new CoordinatorError('session-lost', `session ${this.id} was closed`);
      return Promise.reject(this.signal.reason ?? refused);
    }
    if (kind === 'close') {
      this.#isRefusing = true;
      for (const request of this.#open) {
        if (!request.isSent) this.#fail(request, new CoordinatorError('session-lost', `session ${this.id} was closed`));
      }
    }
    return new Promise((resolve, reject) => {
      const request: Request = { kind, perform, resolve, reject, isSent: false, isSettled: false, isServed: false };
      this.#open.add(request);
      this.process.clock.after(this.timeoutMs, () => this.#expireRequest(request));
      if (this.#isUp) this.#send(request);
    });
  }

  #expireRequest(request: Request): void {
    if (request.isSettled) return;
    const isUnknown = request.isSent && request.kind === 'write';
    this.process.hit('deadline');
    this.#fail(request, new CoordinatorError(isUnknown ? 'outcome-unknown' : 'unavailable', 'not answered in time'));
  }

  #send(request: Request): void {
    request.isSent = true;
    const fault = this.#world.faults.drawCall(this.process.name, this.#ordinal, this.#calls++);
    const extraMs = fault === undefined ? 0 : this.#strike(fault.kind, fault.dice);
    const nowMs = this.#world.time.nowMs;
    const isWrite = request.kind !== 'read';
    const earliestMs = Math.max(this.#lastArrivalMs, isWrite ? this.#lastWriteMs : 0);
    const arrivalMs = Math.max(nowMs + this.#latency.between(1, 6) + extraMs, earliestMs);
    this.#lastArrivalMs = arrivalMs;
    if (isWrite) this.#lastWriteMs = arrivalMs;
    const connection = this.#connection;
    this.#world.time.after(arrivalMs - nowMs, () => {
      if (connection === this.#connection) this.#serve(request, fault);
    });
    if (fault?.kind === 'request-lost') this.#break(fault.dice.between(...RECONNECT_MS));
    if (fault?.kind === 'late') this.#breakLate(fault.dice);
    if (fault?.kind === 'cut') this.#break(fault.dice.between(500, 20_000));
  }

  /** What a fault does at the moment of the call; how much longer the request takes. */
  #strike(kind: CallFault, dice: Dice): number {
    const { process } = this;
    if (kind === 'delay' || kind === 'stall') {
      const delayMs = kind === 'delay' ? dice.between(50, 4_000) : dice.between(7_000, 14_000);
      process.hit(kind, delayMs);
      return delayMs;
    }
    if (kind === 'expire') {
      process.hit(kind, Infinity);
      this.#world.time.after(dice.between(0, 12), () => this.#world.expire(this.id));
    } else if (kind === 'freeze') {
      const forMs = dice.between(1_000, 45_000);
      this.#world.time.after(dice.between(0, 12), () => process.freeze(forMs));
    } else if (kind === 'kill') {
      this.#world.time.after(dice.between(0, 12), () => process.kill('kill'));
    }
    return 0;
  }

  #serve(request: Request, fault: { kind: CallFault; dice: Dice } | undefined): void {
    request.isServed = true;
    const answer = (settle: () => void) => {
      if (fault?.kind === 'reply-lost') this.#break(fault.dice.between(...RECONNECT_MS));
      else this.#reply(settle);
    };
    request.perform().then(
      (value) => answer(() => this.#settle(request, () => request.resolve(value))),
      (error: unknown) =>
        answer(() => {
          if (isCronkeeperError(error, 'session-lost')) this.#end(error as CoordinatorError);
          this.#fail(request, error);
        }),
    );
  }

  /** Replies and watches come in order, and none over a connection that broke. */
  #reply(what: () => void): void {
    const { time } = this.#world;
    this.#lastReplyMs = Math.max(time.nowMs + this.#latency.between(1, 6), this.#lastReplyMs);
    const connection = this.#connection;
    time.after(this.#lastReplyMs - time.nowMs, () => {
      if (connection === this.#connection) this.process.deliver(what);
    });
  }

  /** Some of what is under way is applied all the same, a little later; writes keep their order. */
  #breakLate(dice: Dice): void {
    const { time } = this.#world;
    const late = [...this.#open].filter(({ kind, isSent, isServed }) => kind === 'write' && isSent && !isServed);
    const afterMs = dice.between(1, 2_500);
    this.#lastWriteMs = Math.max(this.#lastWriteMs, time.nowMs + afterMs);
    for (const { perform } of late) time.after(afterMs, () => void perform().catch(() => undefined));
    this.#break(dice.between(...RECONNECT_MS));
  }

  #break(forMs: number): void {
    if (!this.#isUp || this.signal.aborted) return;
    const { time, sessionTimeoutMs } = this.#world;
    this.process.hit('break', forMs);
    this.#isUp = false;
    this.#connection++;
    this.#lastArrivalMs = 0;
    this.#lastReplyMs = 0;
    this.#beatOrNot();
    const lost = [...this.#open].filter(({ isSent }) => isSent);
    for (const request of lost) if (request.kind !== 'write') request.isSent = false;
    this.process.deliver(() => {
      for (const request of lost) {
        if (request.kind === 'write') this.#fail(request, new CoordinatorError('outcome-unknown', 'connection lost'));
      }
    });
    time.after(forMs, () => this.process.deliver(() => this.#reconnect()));
    this.process.clock.after(sessionTimeoutMs, () => {
      if (!this.#isUp) this.#end(new CoordinatorError('session-lost', `session ${this.id} is given up`));
    });
  }

  #reconnect(): void {
    if (this.signal.aborted) return;
    this.#isUp = true;
    this.#beatOrNot();
    if (this.#inner.signal.aborted) {
      this.#end(this.#inner.signal.reason as CoordinatorError);
      return;
    }
    for (const fire of this.#firedWhileDown.splice(0)) this.#reply(fire);
    for (const request of [...this.#open]) if (!request.isSent) this.#send(request);
  }

  #once(onChange: () => void): () => void {
    let isFired = false;
    const fire = () => {
      if (!isFired) onChange();
      isFired = true;
    };
    return () => {
      if (this.#isUp) this.#reply(fire);
      else this.#firedWhileDown.push(fire);
    };
  }

  #beatOrNot(): void {
    if (this.#inner.signal.aborted) return;
    const isHeard = this.process.isHeard && this.#isUp && !this.signal.aborted;
    if (!isHeard) this.#unsilence ??= this.#world.silence(this.id);
    else {
      this.#unsilence?.();
      this.#unsilence = undefined;
    }
  }

  #settle(request: Request, tell: () => void): void {
    if (request.isSettled) return;
    request.isSettled = true;
    this.#open.delete(request);
    tell();
  }

  #fail(request: Request, error: unknown): void {
    this.#settle(request, () => request.reject(error));
  }

  #end(reason: CoordinatorError): void {
    if (this.signal.aborted) return;
    this.#isRefusing = true;
    if (reason.message.includes('was closed')) this.#unwatch();
    else this.process.hit('session-lost', Infinity);
    for (const request of [...this.#open]) {
      const isUnknown = request.isSent && request.kind === 'write';
      this.#fail(request, isUnknown ? new CoordinatorError('outcome-unknown', reason.message) : reason);
    }
    this.#ended.abort(reason);
    this.#beatOrNot();
    for (const fire of this.#firedWhileDown.splice(0)) fire();
  }
}
