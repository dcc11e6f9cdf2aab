/**
 * A worker without an engine: it does with every run what its input says, so that tests can have it finish, wait, hang
 * or die at will. It keeps to the same protocol as the real one.
 */
import { parentPort } from 'node:worker_threads';
import { Board, type Seq } from '../../src/evaluator/board.ts';
import { type FromWorker, type Order, type ToWorker, unpackOrders } from '../../src/evaluator/messages.ts';
import { Outbox } from '../../src/evaluator/outbox.ts';
import { reportOf } from './reports.ts';

export type Act = keyof typeof acts;

const port = parentPort;
const send = (message: FromWorker): void => port?.postMessage(message);
const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
let board = new Board();
let outbox = new Outbox();
let arrived = 0;

const acts = {
  finish(seq: Seq) {
    outbox.write(reportOf(seq));
    send({ type: 'news', calls: [] });
  },
  /** Nobody is told to look into the outbox. */
  finishSilently(seq: Seq) {
    outbox.write(reportOf(seq));
  },
  /** As if the outbox were full. */
  finishByMail(seq: Seq) {
    send({ type: 'report', report: reportOf(seq) });
  },
  /** Is in the middle of something, for ever. */
  hold(seq: Seq) {
    send({ type: 'news', calls: [{ seq, kind: 'call', call: 1, name: 'arrived', args: `[${++arrived}]` }] });
  },
  /** Waits for a timer that is far away. */
  sleep(_seq: Seq) {
    board.wait(++arrived);
  },
  /** Waits for the answer to a host call, and finishes. */
  wait(seq: Seq) {
    acts.hold(seq);
    board.wait(arrived);
  },
  hang(seq: Seq) {
    board.enter(seq, 0);
    Atomics.wait(nothing, 0, 0);
  },
  /** Overstays its time, and finishes. */
  dawdle(seq: Seq) {
    board.enter(seq, 0);
    Atomics.wait(nothing, 0, 0, 250);
    board.leave();
    acts.finish(seq);
  },
  /** Comes into the engine late, and loops there until it is interrupted. */
  loopLater(seq: Seq) {
    Atomics.wait(nothing, 0, 0, 200);
    board.enter(seq, 600_000);
    while (!board.isCancelled(seq)) Atomics.wait(nothing, 0, 0, 1);
    board.leave();
    acts.finish(seq);
  },
  finishAndDie(seq: Seq) {
    outbox.write(reportOf(seq));
    process.exit(1);
  },
  die(seq: Seq) {
    board.enter(seq, 10_000);
    process.exit(1);
  },
};

/** Where a run's input is among what differs from run to run: see guest/run.js. */
const INPUT_AT = 5;
/** Dies before the run has started. */
const DIE_FIRST = 'die first';

const actOf = ({ task, context }: Order): Act | typeof DIE_FIRST =>
  task === 'check' ? 'finish' : ((JSON.parse(context) as readonly unknown[])[INPUT_AT] as Act | typeof DIE_FIRST);

port?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'start':
      board = new Board(message.board);
      outbox = new Outbox(message.outbox);
      send({ type: 'ready' });
      break;
    case 'orders':
      for (const order of unpackOrders(message.orders)) {
        const act = actOf(order);
        if (act === DIE_FIRST) process.exit(1);
        board.start(order.seq);
        acts[act](order.seq);
      }
      break;
    case 'replies':
      for (const { seq } of message.replies) acts.finish(seq);
      break;
  }
});
