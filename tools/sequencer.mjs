/**
 * The order of test files. Those with a real ZooKeeper come first, and those that hold the processors (hostile code,
 * mutants) last: an ensemble that gets no time elects no leader within a session's time-out. Between them, beside tests that
 * neither need nor take time, are the chaos, which kills an ensemble of its own for minutes, and the simulation, which
 * takes one processor for as long: begun early enough that nobody waits for them alone.
 */
import Sequencer from '@jest/test-sequencer';

const FIRST = /\/test\/(?:coordinator|engine)\//;
const CHAOS = /\/test\/chaos\/chaos\.test/;
const SIMULATION = /\/test\/sim\/sim\.test/;
const LAST = /\/test\/(?:hostile|evaluator|bench|sim)/;

/** The first that matches says where a file's place is; those that match none come before the last. */
const ORDER = [FIRST, CHAOS, SIMULATION, undefined, LAST];

const rank = ({ path }) => {
  const found = ORDER.findIndex((pattern) => pattern?.test(path));
  return found < 0 ? ORDER.indexOf(undefined) : found;
};

export default class extends Sequencer {
  /** Otherwise as jest has it: the longest first. */
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => rank(one) - rank(other));
  }
}
