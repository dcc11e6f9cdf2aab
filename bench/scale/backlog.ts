/** What several processes drain: launches that are all due at once. */
import type { TaskDocument } from '../../src/task.ts';

/** Different pieces of code: tasks of one program would share its fate, should the machine hold one of them up. */
const PROGRAMS = 200;

/** @param waitMs each launch asks its host to wait so long; 0: it does nothing at all. */
export function backlog(launches: number, waitMs: number): TaskDocument[] {
  const what = waitMs === 0 ? '{}' : `ctx.call('wait', ${waitMs})`;
  return Array.from({ length: launches }, (_, i) => ({
    id: `launch-${i}`,
    schedule: { after: '0s' },
    timeout: '1m',
    code: `export default (ctx) => ${what}; // ${i % PROGRAMS}`,
    ...(waitMs > 0 && { capabilities: { call: ['wait'] } }),
  }));
}
