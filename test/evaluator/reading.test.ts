/** What tasks send fills the main thread's time, and the ZooKeeper session that it keeps alive is lost. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/clock.ts';
import type { ToWorker } from '../../src/evaluator/messages.ts';
import type { Run } from '../../src/evaluator.ts';
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

describe('while a worker takes no answers', () => {
  /** Of 1 MiB, as those to requests may be. */
  const ANSWER = 'x'.repeat(1024 * 1024 - 16);

  /** Its answers are kept. */
  class DeafWorker extends DyingWorker {
    readonly answers: string[] = [];

    override postMessage(message: ToWorker): void {
      if (message.type === 'replies') this.answers.push(...message.replies.map(({ answer }) => answer));
      else super.postMessage(message);
    }

    /** As if the run had asked so often at once. */
    ask(kind: 'call' | 'fetch', count: number): void {
      const calls = Array.from({ length: count }, (_, i) => ({ seq: 1, kind, call: `${i}`, name: 'big', args: '[]' }));
      this.emit('message', { type: 'news', calls: kind === 'call' ? calls : calls.map(toFetch) });
    }

    answered(count: number): Promise<void> {
      return until(() => this.answers.length >= count);
    }
  }

  const toFetch = <Call extends object>(call: Call) => ({ ...call, args: '{"url":"https://a.example"}' });

  async function deaf() {
    const worker = new DeafWorker();
    let asked = 0;
    const response = { url: '', redirected: false, status: 200, statusText: '', headers: [] };
    const run: Run = {
      ...act('sleep'),
      capabilities: {
        big() {
          asked++;
          return ANSWER.slice(0, 250_000);
        },
      },
      async fetch() {
        asked++;
        await until(() => asked === 100);
        return { ...response, body: Buffer.from(ANSWER) };
      },
    };
    crew
      .script({ openWorker: () => worker })
      .run([run], () => {})
      .catch(() => undefined);
    await until(() => worker.board.waiting === 1);
    return { worker, asked: () => asked };
  }

  test('host calls wait, so that answers do not pile up', async () => {
    const { worker, asked } = await deaf();
    worker.ask('call', 150);
    await worker.answered(150);
    worker.ask('call', 5);
    const end = turns + 50;
    await until(() => turns > end);
    expect(asked()).toBe(150);
    worker.board.take(150 * 250_003);
    await worker.answered(155);
  });

  test('responses to what was asked before are dropped at last', async () => {
    const { worker } = await deaf();
    worker.ask('fetch', 100);
    await worker.answered(100);
    const dropped = worker.answers.filter((answer) => answer.startsWith('E'));
    expect(dropped).toHaveLength(100 - 64);
    expect(dropped[0]).toMatch(/this one was dropped/);
  });
});
