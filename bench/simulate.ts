/** How much of the simulated world one processor gets through: see `test/sim`. */
import { fileURLToPath } from 'node:url';
import type { Simulated } from './simulate/process.ts';
import { Subject } from './subject.ts';
import { interleave, type Probe, type Report, type Suite, sizesOf } from './suite.ts';

const SIZES = { full: [40], brief: [40], quick: [2] };
const SCRIPT = fileURLToPath(new URL('./simulate/process.ts', import.meta.url));

export const simulateSuite: Suite = {
  name: 'simulate',
  about: 'simulated worlds and launches per second of one processor',
  async run(options): Promise<Report> {
    const probes = sizesOf(options, SIZES).map(probeOf);
    const results = await interleave(probes, options);
    const sections = [{ title: 'Simulated worlds, one after another', probes }];
    return { suite: 'simulate', peer: 'none', sections, results, notes: NOTES };
  },
};

const probeOf = (seeds: number): Probe => ({
  rows: [
    { name: `worlds of seeds 1 to ${seeds}`, unit: 'seeds/s' },
    { name: '· simulated launches', unit: 'launches/s' },
  ],
  async measure() {
    await using subject = new Subject(SCRIPT);
    const { durationMs, launches } = await subject.ask<Simulated>('simulate', { seeds });
    return [seeds / (durationMs / 1_000), launches / (durationMs / 1_000)];
  },
});

const NOTES = [
  'The first world is simulated before, beside the clock. In each the promises are checked at every step.',
];
