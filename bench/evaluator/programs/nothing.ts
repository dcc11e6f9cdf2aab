/** Timed: Node itself, and nothing else. */
import { DONE } from '../../child.ts';

process.stdout.write(`${DONE}\n`);
