/**
 * The evaluator's thread. It works off answers and orders in the order in which they came, and looks at its mail and
 * its timers every few milliseconds. Runs that wait hold nobody up, as long as there is memory for them.
 */
import { parentPort } from 'node:worker_threads';
import { atEndOfTurn, type Cancel, systemClock as clock } from '../clock.ts';
import { Board, type Seq } from './board.ts';
import { Execution } from './execution.ts';
import {
  type ClockReading,
  type FromWorker,
  type HostCall,
  monotonicMs,
  type Order,
  type Reply,
  type ToWorker,
  unpackOrders,
} from './messages.ts';
import type { KnownProgram } from './module-states.ts';
import { Outbox, type Report } from './outbox.ts';
import { Stage } from './stage.ts';
import { fail } from './verdict.ts';

/** Orders are worked off for so long at a stretch; then answers, timers and cancellations have their turn. */
const SLICE_MS = 5;
/**
 * A worker that waits for the moment of its next order sleeps for so long at least: in a crowd, what falls due in between
 * goes along, as waking up costs about as much as a run.
 */
const SLEEP_MS_MIN = 2;
/** With orders at hand that wait for their moment, the main thread is told of reports only so often. */
const NEWS_MS = 16;

if (parentPort === null) throw new Error('this file is a worker thread');
const port = parentPort;
const send = (message: FromWorker): void => port.postMessage(message);

class Workshop {
  readonly #stage: Stage;
  readonly #board: Board;
  readonly #outbox: Outbox;
  readonly #programs = new Map<string, KnownProgram>();
  readonly #executions = new Map<Seq, Execution>();
  #orders: Order[] = [];
  #replies: Reply[] = [];
  #epochOffsetMs = 0;
  #isPumpDue = false;
  /** Something was put into the outbox that the main thread was not told of. */
  #hasNews = false;
  #toldMs = 0;
  #alarm: Cancel | undefined;
  /** Host calls on their way to it. */
  readonly #calls: HostCall[] = [];

  constructor({ module, guest, board, outbox }: Extract<ToWorker, { type: 'start' }>) {
    this.#stage = new Stage(module, guest);
    this.#board = new Board(board);
    this.#outbox = new Outbox(outbox);
  }

  take(message: Exclude<ToWorker, { type: 'start' }>): void {
    switch (message.type) {
      case 'orders':
        for (const hash of message.forget) {
          this.#programs.delete(hash);
          this.#stage.states.forget(hash);
        }
        for (const program of message.learn) this.#programs.set(program.hash, { program });
        this.#orders.push(...unpackOrders(message.orders));
        this.#setClock(message.sentAt);
        break;
      case 'replies':
        this.#replies.push(...message.replies);
        break;
      case 'cancel':
        this.#cancel(new Set(message.seqs));
        break;
    }
    this.#pump();
  }

  /** What the caller's clock says is derived from the last message, so the two never drift apart. */
  #setClock({ epochMs, monotonicMs: at }: ClockReading): void {
    this.#epochOffsetMs = epochMs - at;
  }

  #cancel(seqs: ReadonlySet<Seq>): void {
    for (const seq of seqs) this.#executions.get(seq)?.cancel();
    const dropped = this.#orders.filter(({ seq }) => seqs.has(seq));
    this.#orders = this.#orders.filter(({ seq }) => !seqs.has(seq));
    // It may be for one that is gone, and later than the next.
    this.#alarm?.();
    this.#alarm = undefined;
    for (const { seq } of dropped) this.#post(notBegun(seq, this.#nowMs(), 'Cancelled'));
  }

  #nowMs(): number {
    return this.#epochOffsetMs + monotonicMs();
  }

  /** Wakes runs and starts orders until there are none, there is no room, or others should have their turn. */
  #pump(): void {
    const sliceEnd = clock.elapsed() + SLICE_MS;
    const isOver = () => clock.elapsed() >= sliceEnd;
    this.#isPumpDue = true;
    // What has begun goes first: it holds memory.
    takeWhile(
      this.#replies,
      () => !isOver(),
      (reply) => this.#deliver(reply),
    );
    takeWhile(
      this.#orders,
      (order) => !isOver() && !this.#stage.isCrowded && waitMs(order) <= 0,
      (order) => this.#start(order),
    );
    this.#isPumpDue = false;
    this.#board.wait(this.#executions.size);
    this.#tell();
    this.#sleep();
    if (this.#replies.length + this.#orders.length > 0 && isOver()) this.#pumpSoon(atEndOfTurn);
  }

  /** The main thread reads what it is told of, and each time costs it: while nobody waits for room, reports gather. */
  #tell(): void {
    const [next] = this.#orders;
    const nowMs = clock.elapsed();
    const canWait = next !== undefined && waitMs(next) > 0 && nowMs - this.#toldMs < NEWS_MS;
    if (this.#calls.length > 0 || (this.#hasNews && !canWait)) {
      send({ type: 'news', calls: this.#calls.splice(0) });
      this.#hasNews = false;
      this.#toldMs = nowMs;
    }
  }

  /** Until the moment of the next order. It may have come since the pump looked, and nobody else would wake it. */
  #sleep(): void {
    const [next] = this.#orders;
    if (next === undefined || this.#alarm !== undefined || next.notBeforeMs === 0) return;
    this.#alarm = clock.after(Math.max(SLEEP_MS_MIN, Math.ceil(waitMs(next))), () => {
      this.#alarm = undefined;
      this.#pump();
    });
  }

  #deliver(reply: Reply): void {
    this.#board.take(reply.answer.length);
    this.#executions.get(reply.seq)?.reply(reply.call, reply.answer);
  }

  #pumpSoon(schedule: (pump: () => void) => void): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    schedule(() => this.#pump());
  }

  #start(order: Order): void {
    const { seq } = order;
    if (!this.#board.start(seq)) {
      this.#post(notBegun(seq, this.#nowMs(), 'WorkerLost'));
      return;
    }
    const known = this.#programs.get(order.hash);
    if (known === undefined) throw new Error(`run ${seq} is of program ${order.hash}, which never came`);
    const execution = new Execution(order, known, {
      clock,
      board: this.#board,
      stage: this.#stage,
      startedMs: this.#nowMs(),
      ask: (kind, call, name, args) => this.#ask({ seq, kind, call, name, args }),
      ended: (report) => {
        this.#executions.delete(seq);
        this.#post(report);
      },
    });
    this.#executions.set(seq, execution);
    execution.start();
  }

  #ask(call: HostCall): void {
    this.#calls.push(call);
    this.#pumpSoon(queueMicrotask);
  }

  #post(report: Report): void {
    if (this.#outbox.write(report)) this.#hasNews = true;
    else send({ type: 'report', report });
    this.#pumpSoon(queueMicrotask);
  }
}

const waitMs = ({ notBeforeMs }: Order): number => (notBeforeMs === 0 ? 0 : notBeforeMs - monotonicMs());

/** Takes items from the front of a list as long as that is allowed, and removes them at once: few lists are short. */
function takeWhile<Item>(items: Item[], isAllowed: (item: Item) => boolean, take: (item: Item) => void): void {
  let taken = 0;
  for (const item of items) {
    if (!isAllowed(item)) break;
    taken++;
    take(item);
  }
  items.splice(0, taken);
}

/** `WorkerLost`: it was recalled, and goes to another worker. `Cancelled`: the caller gave up. */
const notBegun = (seq: Seq, startedMs: number, why: 'WorkerLost' | 'Cancelled'): Report => ({
  seq,
  startedMs,
  wallMs: 0,
  cpuMs: 0,
  peakBytes: 0,
  hostCalls: 0,
  truncated: false,
  ...fail(why, 'it never began'),
  logs: '',
  answers: '',
});

let workshop: Workshop | undefined;
port.on('message', (message: ToWorker) => {
  if (message.type !== 'start') {
    workshop?.take(message);
    return;
  }
  workshop = new Workshop(message);
  send({ type: 'ready' });
});
