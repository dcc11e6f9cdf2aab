/**
 * The order of test files. Those with a real ZooKeeper come first, and those that hold the processors with hostile code
 * last: an ensemble that gets no time elects no leader within a session's time-out.
 */
import Sequencer from '@jest/test-sequencer';

const FIRST = /\/test\/(?:coordinator|engine)\//;
const LAST = /\/test\/(?:hostile|evaluator|bench)/;

const rank = ({ path }) => (FIRST.test(path) ? 0 : LAST.test(path) ? 2 : 1);

export default class extends Sequencer {
  /** Otherwise as jest has it: the longest first. */
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => rank(one) - rank(other));
  }
}
