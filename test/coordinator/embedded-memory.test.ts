/** Memory does what SQLite does: the same answers, refusals and tree, whatever is asked of both and taken back again. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openMemory } from '../../src/coordinator/embedded/memory.ts';
import { openFile } from '../../src/coordinator/embedded/sql-storage.ts';
import type { Storage } from '../../src/coordinator/embedded/storage.ts';
import { CoordinatorError, type CreateMode, type Op } from '../../src/coordinator.ts';

const HOME = { host: 'here', pid: process.pid };
const PATHS = ['/', '/a', '/b', '/a/a', '/a/b', '/a/b/c', '/b/-', '/b/é'];
const MODES: readonly CreateMode[] = ['persistent', 'ephemeral', 'sequential', 'ephemeral-sequential'];

const path = fc.constantFrom(...PATHS);
const version = fc.constantFrom(0, 1, 2);
const op = fc.oneof(
  fc.record({
    op: fc.constant('create' as const),
    path,
    data: fc.constantFrom('', 'é', '\ud800'),
    mode: fc.constantFrom(...MODES),
  }),
  fc.record({ op: fc.constant('set' as const), path, data: fc.string({ maxLength: 3 }) }),
  fc.record({ op: fc.constantFrom('set' as const), path, data: fc.constant('x'), version }),
  fc.record({ op: fc.constantFrom('remove' as const, 'check' as const), path }),
  fc.record({ op: fc.constantFrom('remove' as const, 'check' as const), path, version }),
);
const session = fc.integer({ min: 1, max: 3 });
const work = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('multi' as const),
      session,
      ops: fc.array(op, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('add' as const, 'end' as const, 'renew' as const), session }),
  },
);
const batch = fc.record({ works: fc.array(work, { minLength: 1, maxLength: 5 }), isLost: fc.boolean() });

type Work = typeof work extends fc.Arbitrary<infer T> ? T : never;

/** The rest is refused before it comes here. */
const isPossible = (one: Op) => one.path !== '/' || one.op === 'set' || one.op === 'check';

function perform({ tree, sessions, transaction }: Storage, one: Work, nowMs: number): unknown {
  switch (one.do) {
    case 'add':
      return sessions.add(one.session * 100, nowMs, HOME);
    case 'renew':
      return sessions.renew(one.session, nowMs);
    case 'end':
      sessions.remove(one.session);
      return tree.removeOwnedBy(one.session);
    case 'multi':
      transaction.save();
      try {
        const author = { session: one.session, nowMs };
        const results = one.ops.filter(isPossible).map((each, index) => tree.apply(each, index, author));
        transaction.keep();
        return results;
      } catch (error) {
        if (!(error instanceof CoordinatorError)) throw error;
        transaction.undo();
        return { refusal: error.refusal, opIndex: error.opIndex, message: error.message };
      }
  }
}

function stateOf({ tree, sessions }: Storage, nowMs: number): unknown {
  const nodes: unknown[] = [];
  const walk = (at: string) => {
    nodes.push([at, tree.find(at)?.node, tree.children(at)]);
    for (const name of tree.children(at) ?? []) walk(at === '/' ? `/${name}` : `${at}/${name}`);
  };
  walk('/');
  const known = [1, 2, 3, 4, 5, 6].map((id) => sessions.isKnown(id));
  const overdue = [nowMs, nowMs + 150, nowMs + 1_000].map((ms) => sessions.overdue(ms));
  return { nodes, missing: tree.children('/missing'), known, overdue, earliest: sessions.earliestDeadline() };
}

describe('the embedded coordinator in memory', () => {
  it('is the one in a file, to whoever asks', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 8 }), (batches) => {
        const [memory, file] = [openMemory(), openFile(':memory:')];
        for (const [index, { works, isLost }] of batches.entries()) {
          const nowMs = 1_000 + index * 70;
          const answers = [memory, file].map((storage) => {
            storage.transaction.begin();
            // The number of a session that was lost with its transaction is given again by the file.
            const done = works.filter((one) => one.do !== 'add' || !isLost);
            const given = done.map((one) => perform(storage, one, nowMs));
            if (isLost) storage.transaction.rollback();
            else storage.transaction.commit();
            return [given, stateOf(storage, nowMs)];
          });
          expect(answers[0]).toEqual(answers[1]);
        }
        file.close();
      }),
    );
  });

  it('tells a node from one that was made anew at its place, also where the first was never kept', () => {
    const { tree, transaction } = openMemory();
    const make = () => tree.apply({ op: 'create', path: '/a', data: '' }, 0, { session: 1, nowMs: 0 });
    transaction.begin();
    transaction.save();
    make();
    const first = tree.find('/a')?.id;
    transaction.undo();
    expect(tree.find('/a')).toBeUndefined();
    make();
    transaction.commit();
    expect(tree.find('/a')?.id).not.toBe(first);
  });
});
