/**
 * A session whose transactions meet the faults of a network, one after the other, as a test has written them down.
 * Writes by which directories are made and removed are left in peace.
 */
import { CoordinatorError, type Node, type Op, type OpResult, type Session } from '../../src/coordinator.ts';

export type Fault =
  | 'none'
  /** It is applied, and the answer is lost. */
  | 'reply-lost'
  /** It never arrives, and nobody can tell. */
  | 'request-lost'
  /** It is answered as lost, and applied behind the next read. */
  | 'late'
  /** The coordinator refuses to serve. */
  | 'unavailable';

const isDirectory = (op: Op): boolean => op.op === 'create' && op.data === '';

const lost = () => new CoordinatorError('outcome-unknown', 'a test lost this');

export class FaultySession implements Session {
  readonly id: string;
  readonly signal: AbortSignal;
  /** The transactions that were sent, applied or not. */
  readonly sent: (readonly Op[])[] = [];
  /** Faults of the transactions to come. */
  readonly faults: Fault[] = [];
  /** Done just before the next one is sent: what somebody else does meanwhile. */
  before: (() => Promise<void>) | undefined;
  readonly #session: Session;
  #late: (readonly Op[])[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
    this.id = session.id;
    this.signal = session.signal;
  }

  async get(path: string, onChange?: () => void): Promise<Node | undefined> {
    const node = await this.#session.get(path, onChange);
    await this.#applyLate();
    return node;
  }

  async getMany(paths: readonly string[]): Promise<(Node | undefined)[]> {
    const nodes = await this.#session.getMany(paths);
    await this.#applyLate();
    return nodes;
  }

  children(path: string): Promise<string[] | undefined> {
    return this.#session.children(path);
  }

  childrenMany(paths: readonly string[]): Promise<(string[] | undefined)[]> {
    return this.#session.childrenMany(paths);
  }

  /** In the order of submission, as the contract asks for, whatever happens in between. */
  multi(ops: readonly Op[]): Promise<OpResult[]> {
    const sending = this.#turn.then(() => this.#send(ops));
    this.#turn = sending.catch(() => undefined);
    return sending;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  async #send(ops: readonly Op[]): Promise<OpResult[]> {
    if (ops.length === 1 || ops.every(isDirectory)) return this.#session.multi(ops);
    const { before } = this;
    this.before = undefined;
    await before?.();
    this.sent.push(ops);
    const fault = this.faults.shift() ?? 'none';
    if (fault === 'unavailable') throw new CoordinatorError('unavailable', 'a test holds this up');
    if (fault === 'late') this.#late.push(ops);
    if (fault === 'late' || fault === 'request-lost') throw lost();
    const results = await this.#session.multi(ops);
    if (fault === 'reply-lost') throw lost();
    return results;
  }

  async #applyLate(): Promise<void> {
    for (const ops of this.#late.splice(0)) await this.#session.multi(ops).catch(() => undefined);
  }
}
