/**
 * The order of test files. Those with a real ZooKeeper come first, and those that hold the processors (hostile code,
 * simulations) last: an ensemble that gets no time elects no leader within a session's time-out. The chaos, which kills an ensemble of
 * its own for minutes and takes a processor for that, is between them: beside tests that neither need nor take time.
 */
import Sequencer from '@jest/test-sequencer';

const FIRST = /\/test\/(?:coordinator|engine)\//;
const CHAOS = /\/test\/chaos\/chaos\.test/;
const LAST = /\/test\/(?:hostile|evaluator|bench|sim)/;

const rank = ({ path }) => (FIRST.test(path) ? 0 : CHAOS.test(path) ? 1 : LAST.test(path) ? 3 : 2);

export default class extends Sequencer {
  /** Otherwise as jest has it: the longest first. */
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => rank(one) - rank(other));
  }
}
