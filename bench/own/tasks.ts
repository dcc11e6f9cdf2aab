/** The documents that are measured: about 500 bytes each, as a job of a peer has. */
import type { TaskDocument } from '../../src/task.ts';

const DOCUMENT_BYTES = 500;

export interface DueTasks {
  readonly prefix: string;
  readonly count: number;
  /** Different pieces of code among them. */
  readonly sources: number;
  /** When all of them are due for the first time; an hour later they are due again. */
  readonly dueAtMs: number;
}

export const dueTasks = ({ prefix, count, sources, dueAtMs }: DueTasks): TaskDocument[] =>
  Array.from({ length: count }, (_, i) =>
    padded({
      id: `${prefix}${i}`,
      schedule: { every: '1h', anchor: new Date(dueAtMs).toISOString() },
      code: noOp(i % sources),
    }),
  );

export const noOp = (n: number): string => `export default async (ctx) => {}; // ${n}`;

/** Its input makes it as long as it is to be. */
export function padded(task: TaskDocument): TaskDocument {
  const missing = DOCUMENT_BYTES - JSON.stringify({ ...task, input: { pad: '' } }).length;
  return { ...task, input: { pad: 'x'.repeat(Math.max(0, missing)) } };
}
