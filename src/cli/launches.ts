/** Launches as they scroll by, a line each. */
import type { RunRecord } from '../record.ts';
import { type Run, runView } from '../view.ts';
import type { Output } from './output.ts';
import { localTime, lookOf, roughly, runSummary } from './present.ts';
import { cut, oneLine, pad } from './table.ts';

/** A launch that starts later than this behind its slot stands out. */
const LATE_MS = 1_000;

const ID_WIDTH = 20;
const SUMMARY_WIDTH_MAX = 120;

/** For {@link TickOptions.onRun}: on stdout, as text or as a line of JSON. */
export function showLaunches(output: Output): (taskId: string, record: RunRecord) => void {
  return (taskId, record) => {
    const run = runView(taskId, record);
    output.item({ taskId, ...run }, () => launchLine(output, taskId, run));
  };
}

/** `2026-11-22 13:04:05 ✓ heartbeat   late 2 ms  took 1 ms  try 1  "beat 12"` */
function launchLine(output: Output, taskId: string, run: Run): string {
  const { sign, colour } = lookOf(run.status);
  const summary = cut(oneLine(runSummary(run)), SUMMARY_WIDTH_MAX);
  const head = `${localTime(run.startedAt)} ${output.paint(colour, sign)} ${pad(taskId, ID_WIDTH)}`;
  if (run.status === 'skipped') return `${head} ${output.paint('yellow', `skipped ${summary}`)}`;
  // A later attempt is behind its slot on purpose.
  const isLate = run.attempt === 1 && run.lateMs > LATE_MS;
  const late = pad(`late ${roughly(run.lateMs)}`, 12);
  const timing = `${isLate ? output.paint('yellow', late) : late} ${pad(`took ${roughly(run.durationMs)}`, 12)}`;
  const result = run.status === 'succeeded' ? summary : output.paint(colour, summary);
  return `${head} ${timing} try ${run.attempt}  ${result}`;
}
