/** What a run's record keeps of its outcome: pure. */
import { received } from './errors.ts';
import type { Outcome } from './launch.ts';
import type { RunRecord } from './record.ts';

/** UTF-8 bytes of an output as JSON that a run's record keeps. */
export const OUTPUT_BYTES_MAX = 16 * 1024;

export type End = Pick<RunRecord, 'status' | 'output' | 'error' | 'logs' | 'truncated'>;

/** What a run's record keeps of its outcome. */
export function endOf(outcome: Outcome): End {
  const { status, error, logs, truncated } = outcome;
  const output = outputOf(outcome);
  return {
    status,
    ...(output !== undefined && { output: output.value }),
    ...(error !== undefined && { error }),
    ...(logs.length > 0 && { logs }),
    ...((truncated || output?.truncated === true) && { truncated: true }),
  };
}

const RESULT_KEYS: ReadonlySet<string> = new Set(['completed', 'state', 'nextAt', 'output']);

/** The result's `output`, or what is left of the result without the keys that steer the task. Cut when too large. */
export function outputOf({ status, value }: Outcome): { value: unknown; truncated: boolean } | undefined {
  if (status !== 'succeeded') return undefined;
  const output = bareOutput(value);
  if (output === undefined || output === null) return undefined;
  const json = JSON.stringify(output);
  if (json.length * 3 <= OUTPUT_BYTES_MAX || Buffer.byteLength(json) <= OUTPUT_BYTES_MAX)
    return { value: output, truncated: false };
  return {
    value: Buffer.from(json)
      .subarray(0, OUTPUT_BYTES_MAX)
      .toString()
      .replace(/\uFFFD$/, ''),
    truncated: true,
  };
}

function bareOutput(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (Object.hasOwn(value, 'output')) return (value as { output: unknown }).output;
  const rest = Object.entries(value).filter(([key]) => !RESULT_KEYS.has(key));
  const steers = rest.length < Object.keys(value).length;
  return !steers ? value : rest.length === 0 ? undefined : Object.fromEntries(rest);
}

export const nextAtNote = (nextAt: unknown): string =>
  `nextAt ignored: received ${received(nextAt)}; allowed: an ISO instant or epoch ms later than the slot`;
