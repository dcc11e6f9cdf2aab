/**
 * The engine as a whole, held to its promises on every coordinator: scenarios named after what a user fears. Real
 * clock, real sandbox; only moments of the past are made, by putting tasks with a clock that is behind.
 */
import { describe, jest } from '@jest/globals';
import { againTests } from './engine/again.ts';
import { auditTests } from './engine/audit.ts';
import { clockTests } from './engine/clocks.ts';
import { crashTests } from './engine/crashes.ts';
import { damageTests } from './engine/damage.ts';
import { destinationTests } from './engine/destinations.ts';
import { doorbellTests } from './engine/doorbell.ts';
import { editTests } from './engine/edits.ts';
import { eventTests } from './engine/events.ts';
import { launchTests } from './engine/launches.ts';
import { lostWorkerTests } from './engine/lost-workers.ts';
import { manualTests } from './engine/manual.ts';
import { policyTests } from './engine/policies.ts';
import { quotaTests } from './engine/quotas.ts';
import { registryTests } from './engine/registry.ts';
import { retentionTests } from './engine/retention.ts';
import { shareTests } from './engine/shares.ts';
import { sharingTests } from './engine/sharing.ts';
import { suspectTests } from './engine/suspects.ts';
import { takeoverTests } from './engine/takeovers.ts';
import { verificationTests } from './engine/verification.ts';
import { useEngine, type World } from './engine/world.ts';

export type { World } from './engine/world.ts';

const TEST_TIMEOUT_MS = 60_000;

/** Declares the suite. `open` is called once, before the first test; the world is disposed of after the last. */
export function engineContract(name: string, open: () => Promise<World>): void {
  jest.setTimeout(TEST_TIMEOUT_MS);
  describe(`the engine on ${name}`, () => {
    const engine = useEngine(open);
    describe('launches', () => launchTests(engine));
    describe('while a tick lingers', () => doorbellTests(engine));
    describe('changes of a task that runs', () => editTests(engine));
    describe('policies', () => policyTests(engine));
    describe('launches by hand', () => manualTests(engine));
    describe('launches for events', () => eventTests(engine));
    describe('launches again', () => againTests(engine));
    describe('crashes', () => crashTests(engine));
    describe('what kills its holder', () => suspectTests(engine));
    describe('takeovers', () => takeoverTests(engine));
    describe('clocks', () => clockTests(engine));
    describe('lost workers', () => lostWorkerTests(engine));
    describe('damage', () => damageTests(engine));
    describe('the registry', () => registryTests(engine));
    describe('the audit trail', () => auditTests(engine));
    describe('quotas', () => quotaTests(engine));
    describe('retention', () => retentionTests(engine));
    describe('verification', () => verificationTests(engine));
    describe('destinations', () => destinationTests(engine));
    describe('many ticks, little time, hostile tasks', () => sharingTests(engine));
    describe('shares of the shards', () => shareTests(engine));
  });
}
