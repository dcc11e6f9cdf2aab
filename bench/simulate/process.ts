/** Simulates worlds, in a process of its own. Started and asked by `subject.ts`. */
import { simulate } from '../../test/sim/simulate.ts';
import { serve } from '../serve.ts';

export interface Simulated {
  readonly durationMs: number;
  readonly launches: number;
}

serve({
  async simulate({ seeds }: { readonly seeds: number }): Promise<Simulated> {
    await simulate(1); // what runs is compiled
    const startedAt = performance.now();
    let launches = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const report = await simulate(seed);
      if (report.violations.length > 0) throw new Error(`seed ${seed}: ${JSON.stringify(report.violations[0])}`);
      launches += report.launches;
    }
    return { durationMs: performance.now() - startedAt, launches };
  },
});
