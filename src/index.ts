/** The library's face. What is exported here is the contract; everything else may change. */
export { type Cronkeeper, type CronkeeperOptions, openCronkeeper } from './app.ts';
export type { AuditAction, AuditEntry, AuditOptions } from './audit.ts';
export type { Clock, EpochMs, Random } from './clock.ts';
export { CronkeeperError, type ErrorCode, type Problem } from './errors.ts';
export type { Capability, Limits, RecordedAnswer } from './evaluator.ts';
export type { BusEvent, Emitted, EventDocument } from './event.ts';
export type { EventPattern, Matcher } from './event-pattern.ts';
export type { EventRule, EventRuleDocument } from './event-rules.ts';
export {
  createApiHandler,
  createEventHandler,
  createQueueHandler,
  createTickHandler,
  createTopicHandler,
} from './lambda.ts';
export type { Outcome, RunError, RunErrorClass, RunStatus } from './launch.ts';
export type { FetchPermissions } from './outbound.ts';
export type { Granted } from './record.ts';
export type { Difference, Recording } from './recording.ts';
export type { TickReport } from './report.ts';
export { createEvaluator, type EvaluateOptions, type EvaluatorOptions, type StandaloneEvaluator } from './sandbox.ts';
export { previewSchedule, type ScheduleDocument } from './schedule.ts';
export type { TaskDocument } from './task.ts';
export type {
  DeadLetterView,
  LaunchAsked,
  ListOptions,
  Page,
  PutResult,
  Replay,
  ReplayOptions,
  Replays,
  RunRequest,
  RunsOptions,
  Tasks,
} from './tasks.ts';
export type { TickOptions } from './tick.ts';
export type { NotProven, TaskProblem, Verification, VerifyOptions } from './verification.ts';
export type { QuarantinedView, Run, TaskStatus, TaskView } from './view.ts';
