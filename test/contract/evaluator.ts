/** What every evaluator must keep: the language of tasks, what they see, what they return, and what they cannot do. */
import { describe, jest } from '@jest/globals';
import type { Evaluator } from '../../src/evaluator.ts';
import { batchTests } from './evaluator/batches.ts';
import { Bench } from './evaluator/bench.ts';
import { byteTests } from './evaluator/bytes.ts';
import { capabilityTests } from './evaluator/capabilities.ts';
import { chanceTests } from './evaluator/chance.ts';
import { cloneTests } from './evaluator/clones.ts';
import { dateTests } from './evaluator/dates.ts';
import { errorTests } from './evaluator/errors.ts';
import { hostileTests } from './evaluator/hostile.ts';
import { isolationTests } from './evaluator/isolation.ts';
import { languageTests } from './evaluator/language.ts';
import { limitTests } from './evaluator/limits.ts';
import { logTests } from './evaluator/logs.ts';
import { platformTests } from './evaluator/platform.ts';
import { repetitionTests } from './evaluator/repetition.ts';
import { responseTests } from './evaluator/responses.ts';
import { resultTests } from './evaluator/results.ts';
import { timerTests } from './evaluator/timers.ts';
import { urlTests } from './evaluator/urls.ts';
import { waitingTests } from './evaluator/waiting.ts';

/** Some tests wait until a run is ended by force, on a machine that may be busy. */
const TEST_TIMEOUT_MS = 60_000;

/** Declares the suite. `open` is called once; each test leaves the evaluator usable for the next. */
export function evaluatorContract(name: string, open: () => Promise<Evaluator>): void {
  jest.setTimeout(TEST_TIMEOUT_MS);
  describe(`the evaluator contract on ${name}`, () => {
    const bench = Bench.use(open);
    describe('language and ctx', () => languageTests(bench));
    describe('the platform', () => platformTests(bench));
    describe('logs', () => logTests(bench));
    describe('timers', () => timerTests(bench));
    describe('chance', () => chanceTests(bench));
    describe('dates', () => dateTests(bench));
    describe('URLs', () => urlTests(bench));
    describe('text and bytes', () => byteTests(bench));
    describe('clones', () => cloneTests(bench));
    describe('requests and responses', () => responseTests(bench));
    describe('results', () => resultTests(bench));
    describe('errors', () => errorTests(bench));
    describe('limits', () => limitTests(bench));
    describe('isolation', () => isolationTests(bench));
    describe('hostile code', () => hostileTests(bench));
    describe('capabilities', () => capabilityTests(bench));
    describe('repetition', () => repetitionTests(bench));
    describe('waiting', () => waitingTests(bench));
    describe('batches', () => batchTests(bench, open));
  });
}
