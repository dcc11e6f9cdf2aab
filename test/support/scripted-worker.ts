/**
 * A worker without an engine: it does with every run what its input says, so that tests can have it finish, wait, hang
 * or die at will. It keeps to the same protocol as the real one.
 */
import { parentPort } from 'node:worker_threads';
import { Board, type Seq } from '../../src/evaluator/board.ts';
import { type FromWorker, type ToWorker, unpackOrders } from '../../src/evaluator/messages.ts';
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
    send({ type: 'news', calls: [{ seq, kind: 'call', call: '1', name: 'arrived', args: `[${++arrived}]` }] });
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
  die(seq: Seq) {
    board.enter(seq, 10_000);
    process.exit(1);
  },
};

/** Dies before the run has started. */
const DIE_FIRST = 'die first';

port?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'start':
      board = new Board(message.board);
      outbox = new Outbox(message.outbox);
      send({ type: 'ready' });
      break;
    case 'orders':
      for (const { seq, context } of unpackOrders(message.orders)) {
        const { input } = JSON.parse(context) as { input: Act | typeof DIE_FIRST };
        if (input === DIE_FIRST) process.exit(1);
        board.start(seq);
        acts[input](seq);
      }
      break;
    case 'replies':
      for (const { seq } of message.replies) acts.finish(seq);
      break;
  }
});
