/** From the start of a process to the first outcome. */
import { join } from 'node:path';
import { openCronkeeper } from '../../src/app.ts';
import { type Child, timeChild } from '../child.ts';
import { median } from '../measure.ts';
import type { Probe, Row } from '../suite.ts';
import type { Programs } from './programs.ts';

/** The median of `starts` processes, one after another. */
export const coldStart = (row: Row, starts: number, program: string): Probe => ({
  rows: [row],
  measure: async () => [await medianStart(starts, () => timeChild(program))],
});

async function medianStart(starts: number, start: () => Promise<Child>): Promise<number> {
  const ms: number[] = [];
  for (let i = 0; i < starts; i++) ms.push((await start()).doneMs);
  return median(ms);
}

const TASK = { id: 'cold-start', schedule: { every: '1d' }, code: 'export default () => {}' };

/** A tick's handler, until it has recorded the one launch that is due. The tasks are in a file in `directory`. */
export function coldTick(row: Row, starts: number, programs: Programs, directory: string): Probe {
  const url = `embedded:${join(directory, 'cold-start.db')}`;
  const start = async () => {
    await askForLaunch(url);
    return timeChild(programs('tick'), { args: [programs('handler')], env: { CRONKEEPER_URL: url } });
  };
  return { rows: [row], measure: async () => [await medianStart(starts, start)] };
}

async function askForLaunch(url: string): Promise<void> {
  const keeper = await openCronkeeper({ url });
  try {
    await keeper.tasks.put(TASK);
    await keeper.tasks.run(TASK.id);
  } finally {
    await keeper.close();
  }
}
