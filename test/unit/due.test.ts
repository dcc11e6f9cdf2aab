import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Session } from '../../src/coordinator.ts';
import { GONE, newPages, type Page, scanDue, takeOff } from '../../src/due.ts';
import { createLayout, type DueEntry, decodeDueEntry, dueMinute, pageFirstDueMs } from '../../src/layout.ts';
import { newPageOps, PAGE_ENTRIES_MAX } from '../../src/new-pages.ts';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';

const layout = createLayout('test', 3);
const makerOf = () => {
  let made = 0;
  return () => `m${made++}`;
};
const entries = fc.array(
  fc.record({
    taskId: fc.integer({ min: 0, max: 500 }).map((i) => `task-${i}`),
    dueMs: fc.integer({ min: 0, max: 300_000 }),
    timer: fc.nat(),
  }),
  { maxLength: 400, size: 'max' },
);

describe('new pages', () => {
  test('hold every entry once, by shard and minute, oldest first, and no more than a page may', () => {
    fc.assert(
      fc.property(entries, (due) => {
        const made = newPages(layout, due, makerOf());
        const lines = made.ops.flatMap((op) => ('data' in op ? op.data.split('\n') : []));
        const unique = new Map(due.map((entry) => [JSON.stringify(entry), entry]));
        expect(new Set(lines.map((line) => JSON.stringify(decodeDueEntry(line))))).toEqual(
          new Set([...unique.values()].map((e) => JSON.stringify(normal(e)))),
        );
        expect(new Set(made.ops.map(({ path }) => path)).size).toBe(made.ops.length);
        expect(made.entries.map(({ line }) => line)).toEqual(lines);
        for (const page of made.pages) holdPage(page);
        // For whoever only writes them they are the same, but that no line is there twice even if an entry is.
        const distinct = [...unique.values()];
        const { ops } = newPages(layout, distinct, makerOf());
        expect(newPageOps(layout, distinct, makerOf())).toEqual({
          ops,
          directories: new Set(ops.map(({ path }) => path.slice(0, path.lastIndexOf('/')))),
        });
      }),
      { seed: PROPERTY_SEED, numRuns: 100 },
    );
  });

  const normal = ({ taskId, dueMs, timer }: DueEntry) => ({ taskId, dueMs, timer });

  function holdPage({ path, left, shard, version }: Page): void {
    const on = [...left.values()];
    expect(version).toBe(0);
    expect(on.length).toBeGreaterThan(0);
    expect(on.length).toBeLessThanOrEqual(PAGE_ENTRIES_MAX);
    const { day, minute } = dueMinute(on[0]?.dueMs as number);
    expect(path.startsWith(`${layout.due(shard)}/${day}/${minute}/`)).toBe(true);
    // A reader leaves a page out by its name: its first entry must be the earliest.
    expect(pageFirstDueMs(path.slice(path.lastIndexOf('/') + 1))).toBe(Math.min(...on.map(({ dueMs }) => dueMs)));
    for (const { taskId, dueMs } of on) {
      expect(layout.shardOf(taskId)).toBe(shard);
      expect(dueMinute(dueMs)).toEqual({ day, minute });
    }
  }

  test('of nothing are none', () => {
    expect(newPages(layout, [], makerOf())).toEqual({ pages: [], entries: [], ops: [] });
  });
});

describe('entries that are taken off', () => {
  /** A page as it is stored beside the holder's view of it, which expects versions before they are there. */
  class Stored {
    readonly page: Page;
    data: string;
    version = 0;
    isThere = true;

    constructor(page: Page) {
      this.page = page;
      this.data = [...page.left.keys()].join('\n');
    }

    apply(ops: ReturnType<typeof takeOff>): void {
      for (const op of ops) {
        if (op.path !== this.page.path || op.op === 'create' || op.op === 'check') continue;
        expect(this.isThere).toBe(true);
        expect(op.version).toBe(this.version);
        if (op.op === 'remove') this.isThere = false;
        else {
          this.data = op.data;
          this.version++;
        }
      }
    }
  }

  test('in any order and any company leave the others, and in the end no page', () => {
    fc.assert(
      fc.property(entries, fc.array(fc.nat({ max: 40 })), fc.infiniteStream(fc.nat()), (due, sizes, random) => {
        const { pages } = newPages(layout, due, makerOf());
        const stored = pages.map((page) => new Stored(page));
        const left = pages.flatMap((page) => [...page.left.values()]);
        while (left.length > 0) {
          const size = 1 + (sizes.shift() ?? 40);
          const taken = Array.from({ length: Math.min(size, left.length) }, () => {
            const index = (random.next().value as number) % left.length;
            return left.splice(index, 1)[0] as (typeof left)[0];
          });
          const ops = takeOff(taken);
          // One write for each page, though many of its entries go.
          expect(new Set(ops.map(({ path }) => path)).size).toBe(ops.length);
          for (const each of stored) each.apply(ops);
        }
        expect(stored.filter(({ isThere }) => isThere)).toEqual([]);
        expect(pages.every(({ version }) => version === GONE)).toBe(true);
      }),
      { seed: PROPERTY_SEED, numRuns: 60 },
    );
  });

  test('of a page that is gone already need nothing to be written', () => {
    const { pages } = newPages(layout, [{ taskId: 'a', dueMs: 5, timer: 1 }], makerOf());
    const on = [...(pages[0]?.left.values() ?? [])];
    expect(takeOff(on)).toMatchObject([{ op: 'remove', version: 0 }]);
    expect(takeOff(on)).toEqual([]);
  });
});

describe('a scan of a minute in which a million entries are due', () => {
  const PAGES = 16_384;

  /** One shard of one, with pages that nobody has ever written, and how many of them were asked for. */
  function crowded() {
    const asked = { pages: 0 };
    const one = createLayout('test', 1);
    const names = Array.from({ length: PAGES }, (_, i) => `${(i * 7_919) % PAGES}-m${i}`);
    const lines = Array.from({ length: PAGE_ENTRIES_MAX }, (_, i) => `16384-0-t${i}`).join('\n');
    const session = {
      childrenMany: async (paths: readonly string[]) =>
        paths.map((path) => (path.endsWith('/due') ? ['0000000'] : path.endsWith('/0000000') ? ['0000'] : names)),
      getMany: async (paths: readonly string[]) => {
        asked.pages += paths.length;
        return paths.map(() => ({ data: lines, version: 0, modifiedMs: 0 }));
      },
    } as unknown as Session;
    return { asked, scan: scanDue(session, one, [0], 60_000, new Map()) };
  }

  test('holds few pages, and gives the earliest first', async () => {
    const { asked, scan } = crowded();
    let given = 0;
    let lastMs = -1;
    for await (const { path, left } of scan.pages) {
      given++;
      expect(left.size).toBe(PAGE_ENTRIES_MAX);
      const firstMs = pageFirstDueMs(path.slice(path.lastIndexOf('/') + 1));
      expect(firstMs).toBeGreaterThanOrEqual(lastMs);
      lastMs = firstMs;
      expect(asked.pages - given).toBeLessThan(3 * PAGE_ENTRIES_MAX);
      if (given === 1_000) break;
    }
    expect(given).toBe(1_000);
  });
});
