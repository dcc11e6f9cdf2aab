/** What everybody who reads documents needs of them without their schemas: a tick reads none, and loads no zod. */
import { CronkeeperError, type Problem, received } from './errors.ts';
import { TASK_ID_PATTERN } from './layout.ts';

export const TASK_LIMITS = {
  /** UTF-8 bytes of the source. */
  codeBytesMax: 64 * 1024,
  /** UTF-8 bytes of `input` as JSON, also of a manual run's. */
  inputBytesMax: 32 * 1024,
  /** UTF-8 bytes of the carried state as JSON. */
  stateBytesMax: 64 * 1024,
  labelsMax: 16,
  labelCharsMax: 128,
  historyMax: 200,
  attemptsMax: 100,
  misfireMax: 10_000,
  fetchPatternsMax: 32,
  callNamesMax: 32,
  timeoutMsMax: 14 * 60_000,
} as const;

export const TASK_ID_ALLOWED = 'a string of 1 to 128 characters from A-Z a-z 0-9 . _ -';

/** @throws CronkeeperError `invalid` */
export function assertTaskId(id: unknown): asserts id is string {
  if (typeof id === 'string' && TASK_ID_PATTERN.test(id)) return;
  const allowed = typeof id === 'string' ? `${TASK_ID_ALLOWED}, other than . and ..` : TASK_ID_ALLOWED;
  throw invalidDocument('task id', [{ field: 'id', message: `received ${received(id)}; allowed: ${allowed}` }]);
}

export function invalidDocument(what: string, problems: readonly Problem[]): CronkeeperError {
  const list = problems.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  return new CronkeeperError('invalid', `invalid ${what}: ${list.join('; ')}`, { problems });
}
