/** What the doctor has looked at: whether it is well, and what to do when it is not. */
import { SaidFailure } from './exit.ts';
import type { Output } from './output.ts';
import { pad } from './table.ts';

export interface Check {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What to do, when something is wrong. */
  readonly remedy?: string;
}

export const ok = (check: string, detail: string): Check => ({ check, status: 'ok', detail });

export const warning = (check: string, detail: string, remedy: string): Check => ({
  check,
  status: 'warning',
  detail,
  remedy,
});

export const failed = (check: string, detail: string, remedy: string): Check => ({
  check,
  status: 'failed',
  detail,
  remedy,
});

/** @throws SaidFailure when a check failed. */
export function sayChecks(output: Output, checks: readonly Check[]): void {
  const isWell = checks.every(({ status }) => status !== 'failed');
  output.result({ ok: isWell, checks }, () => checks.map((check) => checkText(output, check)).join('\n'));
  if (!isWell) throw new SaidFailure();
}

const CHECK_CHARS = 15;

const LOOKS = {
  ok: { sign: '✓', colour: 'green' },
  warning: { sign: '!', colour: 'yellow' },
  failed: { sign: '✗', colour: 'red' },
} as const;

function checkText(output: Output, { check, status, detail, remedy }: Check): string {
  const { sign, colour } = LOOKS[status];
  const line = `${output.paint(colour, sign)} ${pad(check, CHECK_CHARS)} ${detail}`;
  return remedy === undefined ? line : `${line}\n  ${output.paint('bold', 'to do:')} ${remedy}`;
}
