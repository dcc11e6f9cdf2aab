/** I9: at every moment, a task waits for something if and only if a due page leads to it at that time. */
import { decodeDueEntry, dueMinute, encodeDueEntry } from '../../../src/layout.ts';
import type { Observer, Transaction } from '../observer.ts';
import type { Violations } from '../violations.ts';

export class DueIndex {
  /** Of each line, the pages that it is on. */
  readonly #lines = new Map<string, Set<string>>();
  readonly #observer: Observer;
  readonly #violations: Violations;

  constructor(observer: Observer, violations: Violations) {
    this.#observer = observer;
    this.#violations = violations;
  }

  onTransaction({ nodes, records }: Transaction): void {
    const touched = new Set(records.map(({ taskId }) => taskId));
    for (const { path, before, after } of nodes) {
      if (!/\/due\/\d+\/\d+\/[^/]+$/.test(path)) continue;
      for (const line of linesOf(before?.data)) this.#lines.get(line)?.delete(path);
      for (const line of linesOf(after?.data)) this.#put(line, path);
      for (const line of [...linesOf(before?.data), ...linesOf(after?.data)]) {
        const entry = decodeDueEntry(line);
        if (entry !== undefined) touched.add(entry.taskId);
      }
    }
    for (const taskId of touched) this.#hold(taskId);
  }

  #put(line: string, path: string): void {
    const paths = this.#lines.get(line) ?? new Set();
    this.#lines.set(line, paths);
    paths.add(path);
  }

  #hold(taskId: string): void {
    const record = this.#observer.records.get(taskId);
    if (record?.dueMs === undefined) return;
    const { dueMs, timer } = record;
    const { day, minute } = dueMinute(dueMs);
    const { layout } = this.#observer;
    const directory = `${layout.due(layout.shardOf(taskId))}/${day}/${minute}/`;
    const paths = [...(this.#lines.get(encodeDueEntry({ taskId, dueMs, timer })) ?? [])];
    const isThere = paths.some((path) => path.startsWith(directory));
    this.#violations.hold(isThere, 'I9', () => `${taskId} waits for ${dueMs} (timer ${timer}), and no page says so`);
    this.#violations.hold(paths.length <= 1, 'I9', () => `${taskId} is on ${paths.length} pages for ${dueMs}`);
  }
}

const linesOf = (data: string | undefined): string[] => (data === undefined || data === '' ? [] : data.split('\n'));
