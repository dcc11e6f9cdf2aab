/**
 * With CRONKEEPER_PROPERTY_SEED, every property sees the same cases each time: what has passed once passes again, and a
 * change is held up by its own faults alone. Without it, as on a developer's machine, the cases are new ones each time.
 */
import fc from 'fast-check';

const seed = process.env.CRONKEEPER_PROPERTY_SEED;
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });
