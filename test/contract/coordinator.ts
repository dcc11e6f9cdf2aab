/**
 * What every coordinator must keep, run against each of them: the embedded one, a real ZooKeeper, a real ensemble.
 * It takes nothing for granted that a three-node ensemble does not give: another session may read a moment behind, so
 * what one session wrote is looked for by another with `eventually`.
 */
import { describe, jest } from '@jest/globals';
import { dataTests } from './coordinator/data.ts';
import { ephemeralTests } from './coordinator/ephemerals.ts';
import { leaseTests } from './coordinator/leases.ts';
import { limitTests } from './coordinator/limits.ts';
import { multiTests } from './coordinator/multis.ts';
import { sessionTests } from './coordinator/sessions.ts';
import { watchTests } from './coordinator/watches.ts';
import { useWorld, type World } from './coordinator/world.ts';

export type { World } from './coordinator/world.ts';

/** Real servers expire a session seconds after its time-out, in steps of their tick. */
const TEST_TIMEOUT_MS = 60_000;

/** Declares the suite. `open` is called once, before the first test; `dispose` after the last. */
export function coordinatorContract(name: string, open: () => Promise<World>): void {
  jest.setTimeout(TEST_TIMEOUT_MS);
  describe(`the coordinator contract on ${name}`, () => {
    const world = useWorld(open);
    describe('data', () => dataTests(world));
    describe('multi', () => multiTests(world));
    describe('ephemeral nodes', () => ephemeralTests(world));
    describe('watches', () => watchTests(world));
    describe('sessions', () => sessionTests(world));
    describe('limits', () => limitTests(world));
    describe('leases', () => leaseTests(world));
  });
}
