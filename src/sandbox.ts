/**
 * The sandbox by itself, for code that is not a task: `cronkeeper/sandbox`. It is ready in a fraction of the time that
 * the whole library takes to load.
 */
import manifest from '../package.json' with { type: 'json' };
import type { Clock } from './clock.ts';
import { createEvaluator as createOn, type EvaluatorOptions, type StandaloneEvaluator } from './evaluator/face.ts';
import type { Endpoint } from './outbound/reach.ts';
import { openOutbound } from './outbound/undici.ts';
import type { FetchPermissions, Outbound } from './outbound.ts';

export type { EvaluateOptions, EvaluatorOptions, StandaloneEvaluator } from './evaluator/face.ts';

/** @throws CronkeeperError `invalid` for options that cannot be. Resolves when all workers are ready. */
export async function createEvaluator(options: EvaluatorOptions = {}): Promise<StandaloneEvaluator> {
  return createOn(options, openRequests);
}

/** @param off what no task may reach: where the tasks are kept. */
export function openRequests(
  permissions: FetchPermissions = {},
  clock: Clock,
  off: readonly Endpoint[] = [],
): Outbound {
  return openOutbound({ ...permissions, clock, off, userAgent: `cronkeeper/${manifest.version}` });
}
