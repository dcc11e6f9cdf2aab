/** Adding jobs that are due later: in chunks, one call each. */
import { type Costs, costsOf } from '../../costs.ts';
import { eachInFlight } from '../../own/put.ts';
import type { NewJob } from './library.ts';
import { CHUNK, chunksOf, jobs, openQueue, type Place, QUEUE } from './place.ts';

export interface PeerPutRequest extends Place {
  readonly tasks: number;
  readonly warm: number;
  /** Calls of one job each that are under way at a time; 0: chunks of many, one after another. */
  readonly inFlight: number;
}

const HOUR_MS = 3_600_000;
const SPREAD_MS = 24 * HOUR_MS;
const later = () => HOUR_MS + Math.floor(Math.random() * SPREAD_MS);

export async function put(request: PeerPutRequest): Promise<Costs> {
  const { tasks, warm, inFlight, redisPid } = request;
  const queue = await openQueue(request, QUEUE);
  const addAll = async (all: readonly NewJob[]) => {
    if (inFlight > 0) await eachInFlight(all, inFlight, ({ name, data, opts }) => queue.add(name, data, opts));
    else for (const chunk of chunksOf(all, CHUNK)) await queue.addBulk(chunk);
  };
  try {
    await addAll(jobs(warm, later));
    const all = jobs(tasks, later);
    const costs = await costsOf([redisPid], () => addAll(all));
    const { delayed } = await queue.getJobCounts('delayed');
    if (delayed !== tasks + warm) throw new Error(`of ${tasks + warm} jobs ${delayed} are there`);
    return costs;
  } finally {
    await queue.obliterate({ force: true });
    await queue.close();
  }
}
