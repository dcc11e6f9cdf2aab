/** What is wrong with an event pattern: what EventBridge would refuse, and what would take too long to match. Pure. */
import { CIDR_ALLOWED, isCidr } from '../cidr.ts';
import { type Problem, received } from '../errors.ts';
import { COMPARISONS, NUMERIC_MAX } from './values.ts';
import { wildcardParts } from './wildcard.ts';

export const PATTERN_LIMITS = {
  /** Objects within each other. */
  depthMax: 16,
  /** Ways through all `$or` of a pattern, as EventBridge has it. */
  combinationsMax: 1_000,
  /** Problems that are told of one pattern. */
  problemsMax: 10,
} as const;

const { depthMax, combinationsMax, problemsMax } = PATTERN_LIMITS;

const VALUES = 'a list of values and operators, not empty, such as ["a", {"prefix": "b"}]';
const PATTERN = `an object of fields, not empty, at most ${depthMax} levels deep`;

type Add = (path: string, received: unknown, allowed: string) => void;
type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const at = (path: string, key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);

/** @param path of the pattern in its document. */
export const patternProblems = (pattern: unknown, path = ''): Problem[] =>
  collected((add) => {
    const combinations = checkPattern(pattern, path, 1, false, add);
    if (combinations > combinationsMax)
      add(path, `${combinations} combinations`, `${combinationsMax} ways through all $or`);
  });

/** For a field that has a name of its own, such as `source`. */
export const valuesProblems = (values: unknown, path: string): Problem[] =>
  collected((add) => checkValues(values, path, add));

function collected(check: (add: Add) => void): Problem[] {
  const problems: Problem[] = [];
  check((field, value, allowed) => {
    if (problems.length >= problemsMax) return;
    problems.push({ field, message: `received ${received(value)}; allowed: ${allowed}` });
  });
  return problems;
}

/** The number of ways through the pattern's `$or`. @param inOr within `$or`, operators are no names of fields. */
function checkPattern(pattern: unknown, path: string, depth: number, inOr: boolean, add: Add): number {
  if (!isPlain(pattern) || Object.keys(pattern).length === 0 || depth > depthMax) {
    add(path, pattern, PATTERN);
    return 1;
  }
  let combinations = 1;
  for (const [field, wanted] of Object.entries(pattern)) {
    const where = at(path, field);
    if (field === '$or') combinations *= checkOr(wanted, where, depth, add);
    else if (inOr && Object.hasOwn(OPERATORS, field)) add(where, wanted, 'no operator as a field within $or');
    else if (Array.isArray(wanted)) checkValues(wanted, where, add);
    else if (isPlain(wanted)) combinations *= checkPattern(wanted, where, depth + 1, inOr, add);
    else add(where, wanted, `${VALUES}, or a nested object`);
  }
  return combinations;
}

function checkOr(options: unknown, path: string, depth: number, add: Add): number {
  if (!Array.isArray(options) || options.length < 2) {
    add(path, options, 'a list of at least two patterns');
    return 1;
  }
  return options.reduce((sum, option, i) => sum + checkPattern(option, at(path, i), depth + 1, true, add), 0);
}

function checkValues(values: unknown, path: string, add: Add): void {
  if (!Array.isArray(values) || values.length === 0) add(path, values, VALUES);
  else for (const [i, value] of values.entries()) checkMatcher(value, at(path, i), add);
}

function checkMatcher(matcher: unknown, path: string, add: Add): void {
  if (matcher === null || typeof matcher === 'string' || typeof matcher === 'boolean') return;
  if (typeof matcher === 'number' && Number.isFinite(matcher)) return;
  const [operator, ...others] = isPlain(matcher) ? Object.keys(matcher) : [];
  if (!isPlain(matcher) || operator === undefined || others.length > 0) {
    add(path, matcher, 'a string, number, true, false or null, or an object with one operator');
  } else if (Object.hasOwn(OPERATORS, operator)) {
    (OPERATORS[operator] as Check)(matcher[operator], at(path, operator), add);
  } else add(at(path, operator), matcher[operator], `the operators ${Object.keys(OPERATORS).join(', ')}`);
}

type Check = (operand: unknown, path: string, add: Add) => void;

const text: Check = (operand, path, add) => {
  if (typeof operand !== 'string') add(path, operand, 'a string');
};

const WILDCARD = 'a string with single * for any characters, and \\* and \\\\ for a star and a backslash';

const wildcard: Check = (operand, path, add) => {
  if (typeof operand !== 'string' || wildcardParts(operand) === undefined) add(path, operand, WILDCARD);
};

const textOrFolded: Check = (operand, path, add) => {
  if (typeof operand === 'string') return;
  const isFolded = isPlain(operand) && Object.keys(operand).join() === 'equals-ignore-case';
  if (isFolded) text(operand['equals-ignore-case'], at(path, 'equals-ignore-case'), add);
  else add(path, operand, 'a string, or {"equals-ignore-case": a string}');
};

/** What `anything-but` may leave out by: each with a string, or a list of them. */
const notEmpty: Check = (operand, path, add) => {
  if (typeof operand !== 'string' || operand === '') add(path, operand, 'a string, not empty');
};
const LEFT_OUT_BY: Readonly<Record<string, Check>> = {
  prefix: notEmpty,
  suffix: notEmpty,
  'equals-ignore-case': text,
  wildcard,
};

const anythingBut: Check = (operand, path, add) => {
  const isText = (value: unknown) => typeof value === 'string';
  const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
  if (!isPlain(operand)) {
    const values: unknown[] = Array.isArray(operand) ? operand : [operand];
    if (values.length > 0 && (values.every(isText) || values.every(isNumber))) return;
    add(path, operand, 'a string, a number, a list of strings or of numbers, or an object with one operator');
    return;
  }
  const [operator = '', ...others] = Object.keys(operand);
  const check = Object.hasOwn(LEFT_OUT_BY, operator) && others.length === 0 ? LEFT_OUT_BY[operator] : undefined;
  const wanted = operand[operator];
  if (check === undefined) add(path, operand, `an object with one of ${Object.keys(LEFT_OUT_BY).join(', ')}`);
  else if (!Array.isArray(wanted)) check(wanted, at(path, operator), add);
  else if (wanted.length === 0) add(at(path, operator), wanted, 'a string, or a list of strings, not empty');
  else for (const [i, each] of wanted.entries()) check(each, at(at(path, operator), i), add);
};

const NUMERIC = `one comparison such as ["=", 5], or two from below such as [">", 0, "<=", 5], with numbers from -5e9 to 5e9`;

const numeric: Check = (operand, path, add) => {
  if (!isRange(operand)) add(path, operand, NUMERIC);
};

function isRange(operand: unknown): boolean {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) return false;
  const [lower, from, upper, to] = operand;
  const isBound = (value: unknown) => typeof value === 'number' && Math.abs(value) <= NUMERIC_MAX;
  if (!COMPARISONS.includes(lower) || !isBound(from)) return false;
  if (operand.length === 2) return true;
  return ['>', '>='].includes(lower) && ['<', '<='].includes(upper) && isBound(to) && from < to;
}

const exists: Check = (operand, path, add) => {
  if (typeof operand !== 'boolean') add(path, operand, 'true or false');
};

const cidr: Check = (operand, path, add) => {
  if (typeof operand !== 'string' || !isCidr(operand)) add(path, operand, CIDR_ALLOWED);
};

const OPERATORS: Readonly<Record<string, Check>> = {
  prefix: textOrFolded,
  suffix: textOrFolded,
  'equals-ignore-case': text,
  wildcard,
  'anything-but': anythingBut,
  numeric,
  exists,
  cidr,
};
