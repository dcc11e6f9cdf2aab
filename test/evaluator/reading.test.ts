/** What tasks send fills the main thread's time, and the ZooKeeper session that it keeps alive is lost. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import { act, Crew, DyingWorker, until } from '../support/crew.ts';

jest.setTimeout(30_000);

const crew = Crew.use();

/** Turns of the event loop so far: in each, everybody else gets what is theirs. */
let turns = 0;
let counting: NodeJS.Immediate;
beforeEach(() => {
  const count = () => {
    turns++;
    counting = setImmediate(count);
  };
  count();
});
afterEach(() => clearImmediate(counting));

/** By its clock, whatever is read takes long. */
function openSlow() {
  let elapsedMs = 0;
  return crew.script({ clock: { ...systemClock, elapsed: () => (elapsedMs += 10) } });
}

/** In which turns the runs were told of, by their index. */
async function toldIn(acts: Parameters<typeof act>[0][]): Promise<number[]> {
  const told: number[] = [];
  await openSlow().run(
    acts.map((each) => act(each)),
    (index) => {
      told[index] = turns;
    },
  );
  return told;
}

const distinct = (list: readonly number[]): number => new Set(list).size;

test.each([
  ['through the outbox', ['finishSilently', 'finishSilently', 'finishSilently', 'finish']],
  ['as messages', ['finishByMail', 'finishByMail', 'finishByMail', 'finishByMail']],
  ['both ways', ['finishByMail', 'finishSilently', 'finishByMail', 'finish']],
] as const)('reports that come %s are read over several turns', async (_how, acts) => {
  expect(distinct(await toldIn([...acts]))).toBe(4);
});

test('so are those of a worker that has died, and none is lost or started again', async () => {
  const told = await toldIn(['finishSilently', 'finishSilently', 'finishSilently', 'die', 'finish']);
  expect(distinct(told.slice(0, 3))).toBe(3);
  expect(told).toHaveLength(5);
});

test('so are host calls', async () => {
  const calledIn: number[] = [];
  const called = (count: number) => {
    calledIn.push(turns);
    return count;
  };
  await openSlow().run(
    Array.from({ length: 4 }, () => act('wait', 'w', called)),
    () => {},
  );
  expect(distinct(calledIn)).toBe(4);
});

test('host calls of a worker that takes no answers wait, so that answers do not pile up', async () => {
  const worker = new DyingWorker();
  const evaluator = crew.script({ openWorker: () => worker });
  let answered = 0;
  const answer = () => {
    answered++;
    return 'x'.repeat(250_000);
  };
  const calls = Array.from({ length: 400 }, () => act('wait', 'w', answer));
  let ended = 0;
  const running = evaluator.run(calls, () => ended++);
  await until(() => ended > 130);
  const looks = turns + 500;
  await until(() => turns > looks);
  const before = answered;
  expect(before).toBeLessThan(400);
  worker.board.take(before * 250_003);
  await until(() => answered > before);
  const taking = setInterval(() => worker.board.take(worker.board.untaken(answered * 250_003)), 5);
  await running;
  clearInterval(taking);
  expect([answered, ended]).toEqual([400, 400]);
});
