/** I12: a report adds up, and says what was recorded. I13: a tick comes to an end in time. */
import type { TickReport } from '../../../src/report.ts';
import type { Violations } from '../violations.ts';
import type { Leases } from './leases.ts';
import type { Ledger } from './ledger.ts';

const COUNTED = ['succeeded', 'failed', 'timedOut', 'skipped', 'uncertain'] as const;

export function holdReport(
  report: TickReport,
  sessionIds: ReadonlySet<string>,
  shardOf: (taskId: string) => number,
  { leases, ledger, violations }: { leases: Leases; ledger: Ledger; violations: Violations },
): void {
  const { due, deferred } = report;
  const sum = COUNTED.reduce((total, name) => total + report[name], deferred);
  violations.hold(due === sum, 'I12', () => `a report of ${due} that were due adds up to ${sum}`);
  const held = [...sessionIds].flatMap((id) => leases.taken.get(id) ?? []);
  const counts = { succeeded: 0, failed: 0, timedOut: 0, skipped: 0, uncertain: 0 };
  for (const { shard, fence } of held) {
    for (const { taskId, run } of ledger.under(fence)) {
      if (shardOf(taskId) !== shard) continue;
      if (run.status === 'timed-out') counts.timedOut++;
      else counts[run.status] += run.status === 'skipped' ? (run.count ?? 0) : 1;
    }
  }
  for (const name of COUNTED) {
    const isSame = counts[name] === report[name];
    violations.hold(isSame, 'I12', () => `a report says ${report[name]} ${name}, the records ${counts[name]}`);
  }
}
