/** A jest reporter: says at the end how much ran, and how much of it on a real ZooKeeper. */
import { relative } from 'node:path';

/** Suites that need a server say so in their file's name or folder. */
const NEEDS_ZOOKEEPER = /zookeeper|fence|links|recovery|chaos\.test/;

export default class ClosingLine {
  #suites = 0;
  #onServer = 0;

  onTestFileResult(test, result) {
    if (!NEEDS_ZOOKEEPER.test(relative(test.context.config.rootDir, test.path))) return;
    if (result.numPassingTests === 0) return;
    this.#suites++;
    this.#onServer += result.numPassingTests;
  }

  onRunComplete(
    _contexts,
    { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites },
  ) {
    // jest writes its own summary after all other reporters, and this is to be the last line.
    process.once('exit', () => {
      const server = this.#suites === 0 ? 'none ran' : `${this.#onServer} tests in ${this.#suites} suites passed`;
      process.stderr.write(`\non a real Apache ZooKeeper: ${server}\n`);
      const failed = numFailedTests + numRuntimeErrorTestSuites;
      const skipped = numPendingTests + numTodoTests;
      process.stderr.write(`tests: ${numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
}
