/**
 * Whether an event matches a pattern, as Amazon EventBridge documents it ("Comparison operators for use in event patterns"):
 * every field of a pattern must match, and of a field's list of values any. Where the event has a list, any element of it
 * may match; the fields of a nested pattern then match within one and the same element. Pure, and without backtracking
 * but for `$or`, whose combinations are bounded where a pattern is accepted.
 */
import { type Leaf, valueMatches } from './event-pattern/values.ts';

export { PATTERN_LIMITS, patternProblems, valuesProblems } from './event-pattern/problems.ts';

/** What a field may be: a value, or an object with one operator, such as `{ prefix: 'order.' }`. */
export type Matcher = Leaf | Readonly<Record<string, unknown>>;

export interface EventPattern {
  readonly [field: string]: readonly Matcher[] | readonly EventPattern[] | EventPattern;
}

type Plain = Readonly<Record<string, unknown>>;

/** @param pattern one without {@link patternProblems}; of others it can be said only that nothing is thrown. */
export const patternMatches = (pattern: EventPattern, value: unknown): boolean => allMatch([pattern], value);

/** Whether a field that has this value, or none (undefined), is one of a list of values and operators. */
export function fieldMatches(matchers: readonly Matcher[], value: unknown): boolean {
  const leaves = leavesOf(value);
  return matchers.some((matcher) =>
    isPlain(matcher) && typeof matcher.exists === 'boolean'
      ? matcher.exists === leaves.length > 0
      : leaves.some((leaf) => valueMatches(matcher, leaf)),
  );
}

/** Patterns that must hold of one value together: what stands in `$or`, and what stands beside it. */
function allMatch(patterns: readonly Plain[], value: unknown): boolean {
  const found = objectsIn(value);
  const objects = found.length === 0 ? [{}] : found;
  // What asks only for absence must be absent everywhere; anything else needs one element that has it all.
  return patterns.every(asksForAbsence)
    ? objects.every((object) => objectMatches(patterns, object))
    : objects.some((object) => objectMatches(patterns, object));
}

function objectMatches(patterns: readonly Plain[], object: Plain): boolean {
  const index = patterns.findIndex((pattern) => Array.isArray(pattern.$or));
  const choice = patterns[index];
  if (choice !== undefined) {
    const { $or, ...rest } = choice;
    const others = patterns.toSpliced(index, 1, ...(Object.keys(rest).length === 0 ? [] : [rest]));
    return ($or as unknown[]).some((option) => isPlain(option) && objectMatches([...others, option], object));
  }
  const [first, ...more] = patterns;
  if (first !== undefined && more.length === 0) {
    for (const field in first) if (!fieldHolds([first[field]], own(object, field))) return false;
    return true;
  }
  const fields = Map.groupBy(patterns.flatMap(Object.entries), ([field]) => field);
  return [...fields].every(([field, entries]) => {
    const wanted = entries.map(([, each]) => each as unknown);
    return fieldHolds(wanted, own(object, field));
  });
}

const own = (object: Plain, field: string): unknown => (Object.hasOwn(object, field) ? object[field] : undefined);

/** @param wanted lists of values, and nested patterns. */
function fieldHolds(wanted: readonly unknown[], value: unknown): boolean {
  const nested = wanted.filter(isPlain);
  if (nested.length > 0 && !allMatch(nested, value)) return false;
  return wanted.every((each) => !Array.isArray(each) || fieldMatches(each, value));
}

/** Whether a pattern says of fields that they do not exist, and nothing else. */
const asksForAbsence = (pattern: Plain): boolean =>
  Object.entries(pattern).every(([field, wanted]) => {
    if (isPlain(wanted)) return asksForAbsence(wanted);
    if (!Array.isArray(wanted)) return false;
    return field === '$or'
      ? wanted.every((option) => isPlain(option) && asksForAbsence(option))
      : wanted.every((matcher) => isPlain(matcher) && matcher.exists === false);
  });

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value and the elements of lists, however deep; nothing for a field that is not there. */
const elementsOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : value === undefined ? [] : [value];

const objectsIn = (value: unknown): readonly Plain[] => elementsOf(value).filter(isPlain);

const leavesOf = (value: unknown): readonly Leaf[] =>
  elementsOf(value).filter((each): each is Leaf => typeof each !== 'object' || each === null);
