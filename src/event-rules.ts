/**
 * The `on` of a task document: which events launch the task. A rule is about the source, the type and the detail of an
 * event, and matches when all that it names does; of several rules any. Pure.
 */
import { CronkeeperError, type Problem, received } from './errors.ts';
import {
  type EventPattern,
  fieldMatches,
  type Matcher,
  patternMatches,
  patternProblems,
  valuesProblems,
} from './event-pattern.ts';
import { jsonProblem } from './json.ts';

export const EVENT_RULES_LIMITS = {
  rulesMax: 10,
  /** UTF-8 bytes of all rules of a task as JSON: about two patterns as large as EventBridge takes them. */
  bytesMax: 4 * 1024,
} as const;

/** In normal form: a list even where one name was given. */
export interface EventRule {
  readonly source?: readonly Matcher[];
  readonly detailType?: readonly Matcher[];
  readonly detail?: EventPattern;
}

/** As it stands in a task document. */
export interface EventRuleDocument {
  /** One source, or a list of names and of operators as EventBridge has them, such as `[{ prefix: 'shop.' }]`. */
  readonly source?: string | readonly Matcher[];
  readonly detailType?: string | readonly Matcher[];
  /** An event pattern of EventBridge. */
  readonly detail?: EventPattern;
}

const KEYS = ['source', 'detailType', 'detail'] as const;
const RULE = `an object with at least one of ${KEYS.join(', ')}`;

const values = { type: 'array', minItems: 1, items: {} };
const names = { oneOf: [{ type: 'string' }, values] };

/** The same as JSON Schema, for the OpenAPI page. {@link parseEventRules} decides; this describes. */
export const EVENT_RULES_JSON_SCHEMA = {
  title: 'EventRules',
  description:
    'Events that launch the task. Values are a name, or a list of names and operators as EventBridge has them.',
  type: 'array',
  maxItems: EVENT_RULES_LIMITS.rulesMax,
  items: {
    type: 'object',
    properties: { source: names, detailType: names, detail: { type: 'object', description: 'An event pattern.' } },
    minProperties: 1,
    additionalProperties: false,
  },
};

/** @throws CronkeeperError `invalid` with one problem for each wrong field, named from the list on. */
export function parseEventRules(document: unknown): readonly EventRule[] {
  const problems = problemsOf(document);
  if (problems.length > 0) throw new CronkeeperError('invalid', problems[0]?.message ?? '', { problems });
  // As it comes back from the registry: JSON knows no -0, so the same document would never be the same task.
  return JSON.parse(JSON.stringify((document as readonly EventRuleDocument[]).map(normal))) as EventRule[];
}

const normal = ({ source, detailType, detail }: EventRuleDocument): EventRule => ({
  ...(source !== undefined && { source: typeof source === 'string' ? [source] : source }),
  ...(detailType !== undefined && { detailType: typeof detailType === 'string' ? [detailType] : detailType }),
  ...(detail !== undefined && { detail }),
});

function problemsOf(document: unknown): readonly Problem[] {
  const { rulesMax, bytesMax } = EVENT_RULES_LIMITS;
  const refuse = (what: string, allowed: string): Problem[] => [
    { field: '', message: `received ${what}; allowed: ${allowed}` },
  ];
  if (!Array.isArray(document)) return refuse(received(document), `a list of at most ${rulesMax} rules`);
  const odd = jsonProblem(document);
  if (odd !== undefined) return [{ field: '', message: odd }];
  if (document.length > rulesMax) return refuse(`${document.length} rules`, `at most ${rulesMax}`);
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes > bytesMax) return refuse(`${bytes} bytes as JSON`, `at most ${bytesMax}`);
  return document.flatMap((rule, i) => ruleProblems(rule, String(i)));
}

function ruleProblems(rule: unknown, path: string): Problem[] {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule) || Object.keys(rule).length === 0) {
    return [{ field: path, message: `received ${received(rule)}; allowed: ${RULE}` }];
  }
  return Object.entries(rule).flatMap(([key, value]): Problem[] => {
    const field = `${path}.${key}`;
    if (key === 'detail') return patternProblems(value, field);
    if (key === 'source' || key === 'detailType') return typeof value === 'string' ? [] : valuesProblems(value, field);
    return [{ field, message: `unknown key; allowed: ${KEYS.join(', ')}` }];
  });
}

/** What rules are about. */
export interface EventParts {
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
}

/** Whether any rule wants this event. */
export const wantsEvent = (rules: readonly EventRule[], event: EventParts): boolean =>
  rules.some(
    ({ source, detailType, detail }) =>
      (source === undefined || fieldMatches(source, event.source)) &&
      (detailType === undefined || fieldMatches(detailType, event.detailType)) &&
      (detail === undefined || patternMatches(detail, event.detail)),
  );
