/**
 * `npm run sim -- --seeds 1000 --start 1`: that many worlds, each from its seed. Ends with 1 if anything was wrong in one.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
import { addReport, addTotals, failureOf, faultCount, noTotals, type Totals, textOf } from './totals.ts';
import { simulateYear } from './year.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    start: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    /** Start from a seed that nobody has chosen, and say which. */
    fresh: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    /** One simulated year in place of the seeds. */
    year: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
    /** A failure as it is, without looking for a smaller one. */
    'no-shrink': { type: 'boolean', default: false },
  },
});

/** Failures that are made smaller and told; more of them tell nothing new. */
const TOLD_MAX = 3;

function whole(name: 'seeds' | 'start' | 'jobs', min: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= min && value <= 2 ** 32) return value;
  console.error(`--${name}: received ${values[name]}; allowed: a whole number from ${min}`);
  process.exit(2);
}

async function runSeeds(start: number, seeds: number, step: number): Promise<Totals & { hashes: string[] }> {
  const totals = { ...noTotals(), hashes: [] as string[] };
  for (let seed = start; seed < start + seeds; seed += step) {
    const report = await simulate(seed);
    addReport(totals, report);
    totals.hashes.push(`${seed}:${report.hash}`);
    if (report.violations.length === 0) continue;
    const isTold = totals.failures.length < TOLD_MAX && !values['no-shrink'];
    totals.failures.push(failureOf(isTold ? await shrink(report) : report));
    if (values['until-failure']) break;
  }
  return totals;
}

/** Every so-manieth seed in a process of its own: the children run with the same flags as this one. */
function runChild(start: number, seeds: number, jobs: number): Promise<Awaited<ReturnType<typeof runSeeds>>> {
  const part = `${start}/${seeds}/${jobs}`;
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof runSeeds>>>();
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    env: { ...process.env, CRONKEEPER_SIM_PART: part },
  });
  child.once('message', (totals) => resolve(totals as Awaited<ReturnType<typeof runSeeds>>));
  child.once('exit', (code) => reject(new Error(`the part ${part} ended with ${code}`)));
  return promise;
}

async function runAll(start: number, seeds: number, jobs: number) {
  if (jobs === 1 || seeds === 1 || values['until-failure']) return runSeeds(start, seeds, 1);
  const totals = { ...noTotals(), hashes: [] as string[] };
  const parts = Array.from({ length: Math.min(jobs, seeds) }, (_, i) => runChild(start + i, seeds - i, jobs));
  for (const part of await Promise.all(parts)) {
    addTotals(totals, part);
    totals.hashes.push(...part.hashes);
  }
  return totals;
}

const part = process.env.CRONKEEPER_SIM_PART;
if (part !== undefined) {
  const [start = 0, seeds = 0, jobs = 1] = part.split('/').map(Number);
  process.send?.(await runSeeds(start, seeds, jobs), () => process.disconnect());
} else if (values.year) {
  const year = await simulateYear();
  console.log(values.json ? JSON.stringify(year) : year);
  process.exitCode = year.violations.length === 0 ? 0 : 1;
} else {
  const startedMs = performance.now();
  const start = values.fresh ? Math.floor(Date.now() / 1_000) : whole('start', 0);
  if (!values.json) console.log(`seeds from ${start}`);
  const totals = await runAll(start, whole('seeds', 1), whole('jobs', 1));
  const wallMs = Math.round(performance.now() - startedMs);
  const line = JSON.stringify({ start, ...totals, faultCount: faultCount(totals), wallMs });
  console.log(values.json ? line : textOf(totals, wallMs));
  process.exitCode = totals.failures.length === 0 ? 0 : 1;
}
