/** Programs that nobody has thought of: whatever they do, each has one outcome, and the next run is not its victim. */
import { expect, test } from '@jest/globals';
import { PROPERTY_SEED } from '../support/cron-arbitraries.ts';
import { fuzz } from './fuzz.ts';

const LISTS = 40;
const TEST_TIMEOUT_MS = 120_000;

test(
  'random programs neither leak, nor stay, nor keep others from their outcome',
  async () => {
    const { programs, ends } = await fuzz(PROPERTY_SEED, { lists: LISTS });
    // A grammar whose programs all fail in the same way would try nothing.
    expect(programs).toBeGreaterThan(50);
    expect(ends.get('succeeded')).toBeGreaterThan(5);
    expect(ends.size).toBeGreaterThan(3);
  },
  TEST_TIMEOUT_MS,
);
