import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CommitQueue, type Work } from '../../src/coordinator/embedded/commits.ts';
import { sqlTransaction } from '../../src/coordinator/embedded/sql-storage.ts';
import { CoordinatorError } from '../../src/coordinator.ts';
import { failure } from '../contract/coordinator/world.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

let database = new DatabaseSync(':memory:');
let clock = new VirtualClock();
let transactions = 0;
let queue = newQueue();

beforeEach(() => {
  database = new DatabaseSync(':memory:');
  clock = new VirtualClock();
  transactions = 0;
  database.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
  `);
  queue = newQueue();
});

function newQueue(): CommitQueue {
  const run = () => {
    transactions += 1;
    return () => {};
  };
  return new CommitQueue({
    transaction: sqlTransaction(database),
    path: 'the file',
    clock,
    operationTimeoutMs: 1_000,
    afterThisTurn: queueMicrotask,
    upkeep: { isDue: () => false, run },
  });
}

const insert = (id: number): Work<void> => ({
  writes: true,
  run: () => void database.prepare('INSERT INTO parents VALUES (?)').run(id),
});

const ids = () =>
  database
    .prepare('SELECT id FROM parents ORDER BY id')
    .all()
    .map(({ id }) => id);

describe('the queue of commits', () => {
  it('shares one transaction among what is submitted in one turn', async () => {
    await Promise.all([1, 2, 3].map((id) => queue.submit(insert(id))));
    expect(transactions).toBe(1);
    await queue.submit(insert(4));
    expect(transactions).toBe(2);
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  it('opens no transaction to read', async () => {
    expect(await queue.submit({ writes: false, run: ids })).toEqual([]);
    expect(transactions).toBe(0);
  });

  it('undoes a refused work alone', async () => {
    const refused = queue.submit({
      writes: true,
      run: () => {
        insert(2).run();
        throw new CoordinatorError('conflict', 'no');
      },
    });
    const all = [queue.submit(insert(1)), failure(refused), queue.submit(insert(3))];
    expect((await Promise.all(all))[1]).toMatchObject({ code: 'conflict' });
    expect(ids()).toEqual([1, 3]);
  });

  it('answers nobody before the commit', async () => {
    const order: string[] = [];
    const works = [1, 2].map((id) =>
      queue.submit({
        writes: true,
        run: () => order.push(`run ${id}`),
        committed: () => order.push(`committed ${id}, ${database.isTransaction ? 'not yet' : 'durably'}`),
      }),
    );
    await Promise.all(works);
    expect(order).toEqual(['run 1', 'run 2', 'committed 1, durably', 'committed 2, durably']);
  });

  it('applies nothing of a transaction in which the database failed, and goes on', async () => {
    const works = [insert(1), insert(1), insert(2)].map((work) => failure(queue.submit(work)));
    for (const error of await Promise.all(works)) {
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('the file') });
    }
    expect(ids()).toEqual([]);
    await queue.submit(insert(1));
    expect(ids()).toEqual([1]);
  });

  it('says that the outcome is unknown when the commit itself fails', async () => {
    // A deferred constraint is the one thing that makes a commit fail at will.
    const orphan = { writes: true, run: () => database.exec('INSERT INTO children VALUES (7)') };
    const errors = await Promise.all([insert(1), orphan].map((work) => failure(queue.submit(work))));
    for (const error of errors) expect(error).toMatchObject({ code: 'outcome-unknown' });
    await queue.submit(insert(2));
    expect(ids()).toEqual([2]);
  });

  it('lets others have a turn when much is waiting', async () => {
    const count = 1_000;
    await Promise.all(Array.from({ length: count }, (_, id) => queue.submit(insert(id))));
    expect(transactions).toBe(Math.ceil(count / 256));
    expect(ids()).toHaveLength(count);
  });

  it('lets others have a turn when works take long', async () => {
    const slow = (id: number) => ({
      writes: true,
      run: () => {
        insert(id).run();
        void clock.advance(15);
      },
    });
    await Promise.all([1, 2, 3, 4].map((id) => queue.submit(slow(id))));
    expect(transactions).toBe(2);
    expect(ids()).toEqual([1, 2, 3, 4]);
  });

  it('refuses more than can be waiting', async () => {
    const works = Array.from({ length: 100_001 }, () => queue.submit({ writes: false, run: () => {} }));
    const last = failure(works.at(-1) ?? Promise.resolve());
    expect(await last).toMatchObject({ code: 'unavailable' });
    await Promise.all(works.slice(0, -1));
  });
});
