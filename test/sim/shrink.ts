/** From a world in which something is wrong to a smaller one: fewer faults, fewer things that users do (delta debugging). */
import { type SimReport, simulate } from './simulate.ts';

/** Worlds that are tried. */
const TRIES_MAX = 150;

export async function shrink(report: SimReport): Promise<SimReport> {
  let smallest = report;
  let tries = 0;
  const isBad = async (faults: readonly string[], acts: readonly string[]): Promise<boolean> => {
    if (tries++ >= TRIES_MAX) return false;
    const tried = await simulate(report.seed, { faults: new Set(faults), acts: new Set(acts) });
    if (tried.violations.length === 0) return false;
    smallest = tried;
    return true;
  };
  let acts = report.acts.map(({ id }) => id);
  let faults = [...new Set(report.injected.map(({ id }) => id))];
  acts = await fewer(acts, (some) => isBad(faults, some));
  faults = await fewer(faults, (some) => isBad(some, acts));
  await fewer(acts, (some) => isBad(faults, some));
  return smallest;
}

/** Leaves out as much of a list as it can: halves first, then quarters, down to single items. */
async function fewer(list: readonly string[], isBad: (some: readonly string[]) => Promise<boolean>): Promise<string[]> {
  let left = [...list];
  for (let size = Math.ceil(left.length / 2); size >= 1 && left.length > 0; size = Math.floor(size / 2)) {
    for (let from = 0; from < left.length; ) {
      const without = [...left.slice(0, from), ...left.slice(from + size)];
      if (await isBad(without)) left = without;
      else from += size;
    }
  }
  return left;
}
