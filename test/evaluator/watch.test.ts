import { expect, test } from '@jest/globals';
import { Board, IDLE } from '../../src/evaluator/board.ts';
import { Watch } from '../../src/evaluator/watch.ts';

function watched() {
  const board = new Board();
  const watch = new Watch(board);
  watch.restart(0);
  return { board, watch };
}

test('a run is timed from the first look that finds it in the engine', () => {
  const { board, watch } = watched();
  board.enter(7, 99.5);
  watch.look(25);
  expect(watch).toMatchObject({ running: 7, stintMs: 0, allowedMs: 100 });
  watch.look(45);
  watch.look(80);
  expect(watch).toMatchObject({ running: 7, stintMs: 55 });
});

test('a process that was frozen does not take that for a run that hangs', () => {
  const { board, watch } = watched();
  board.enter(7, 1000);
  watch.look(25);
  watch.look(3_600_000);
  expect(watch.stintMs).toBe(50);
});

test('a run that comes back for another stint is not held to the time of the one before', () => {
  const { board, watch } = watched();
  board.enter(7, 1000);
  watch.look(25);
  watch.look(50);
  board.leave();
  board.enter(7, 500);
  watch.look(75);
  expect(watch).toMatchObject({ running: 7, stintMs: 0, allowedMs: 500 });
});

test('between stints nobody is timed, however long it takes', () => {
  const { board, watch } = watched();
  board.enter(7, 1000);
  watch.look(25);
  board.leave();
  watch.look(50);
  watch.look(75);
  expect(watch).toMatchObject({ running: IDLE, stintMs: 0 });
});

test('when what counts has changed, time counts from there', () => {
  const { board, watch } = watched();
  board.enter(7, 1000);
  watch.look(25);
  watch.look(50);
  watch.restart(60);
  watch.look(70);
  expect(watch.stintMs).toBe(10);
});
