/** `cronkeeper next`: when would this schedule fire? */
import { type DstRule, parseScheduleText, previewSchedule } from '../schedule.ts';
import type { Context } from './connection.ts';
import { zonedTime } from './present.ts';

export interface NextFlags {
  readonly tz?: string;
  readonly dst?: DstRule;
  /** ISO. Default: now. */
  readonly from?: string;
  readonly count: number;
}

export function next({ output, clock }: Context, text: string, { tz, dst, from, count }: NextFlags): void {
  const defaults = { timeZone: tz, dst };
  const schedule = parseScheduleText(text, defaults);
  const instants = previewSchedule(text, { ...defaults, from: from ?? Math.floor(clock.now()), count });
  const timeZone = schedule.kind === 'cron' ? schedule.timeZone : 'UTC';
  const line = (instant: string) => `${instant}  ${zonedTime(instant, timeZone)}  ${timeZone}`;
  output.result(instants, () => (instants.length === 0 ? 'never' : instants.map(line).join('\n')));
}
