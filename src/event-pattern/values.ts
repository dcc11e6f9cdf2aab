/** Whether one value of an event, no list and no object, is what a pattern asks for. Pure. */
import { BlockList, isIP } from 'node:net';
import { type AddressBlock, isCidr, parseCidr } from '../cidr.ts';
import { wildcardMatches } from './wildcard.ts';

/** A value that holds no other. */
export type Leaf = string | number | boolean | null;

/** What numeric operators compare at all, by EventBridge's documentation. */
export const NUMERIC_MAX = 5e9;

export const COMPARISONS = ['<', '<=', '=', '>=', '>'] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** @param matcher a value, or an operator other than `exists`, which is about the field as a whole. */
export function valueMatches(matcher: unknown, value: Leaf): boolean {
  if (typeof matcher !== 'object' || matcher === null) return matcher === value;
  const [[operator, operand] = ['', undefined]] = Object.entries(matcher);
  return Object.hasOwn(OPERATORS, operator) && (OPERATORS[operator] as Operator)(operand, value);
}

type Operator = (operand: unknown, value: Leaf) => boolean;
type TextTest = (value: string, wanted: string) => boolean;

const startsWith: TextTest = (value, start) => value.startsWith(start);
const endsWith: TextTest = (value, end) => value.endsWith(end);
const equalsIgnoringCase: TextTest = (value, wanted) => fold(value) === fold(wanted);

const fold = (text: string): string => text.toLowerCase();

/** Of strings only: a number has no beginning. */
const ofText =
  (test: TextTest): Operator =>
  (operand, value) =>
    typeof operand === 'string' && typeof value === 'string' && test(value, operand);

/** With a string, or with `{ "equals-ignore-case": string }`. */
const ofTextOrFolded =
  (test: TextTest): Operator =>
  (operand, value) => {
    if (typeof value !== 'string') return false;
    if (typeof operand === 'string') return test(value, operand);
    const wanted = ignoringCase(operand);
    return wanted !== undefined && test(fold(value), fold(wanted));
  };

function ignoringCase(operand: unknown): string | undefined {
  if (typeof operand !== 'object' || operand === null || !('equals-ignore-case' in operand)) return undefined;
  const wanted = operand['equals-ignore-case'];
  return typeof wanted === 'string' ? wanted : undefined;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  prefix: ofTextOrFolded(startsWith),
  suffix: ofTextOrFolded(endsWith),
  'equals-ignore-case': ofText(equalsIgnoringCase),
  wildcard: ofText((value, pattern) => wildcardMatches(pattern, value)),
  'anything-but': (operand, value) => !isOneOf(operand, value),
  numeric: (operand, value) => typeof value === 'number' && Array.isArray(operand) && isWithin(operand, value),
  cidr: (operand, value) => typeof operand === 'string' && typeof value === 'string' && isInBlock(operand, value),
};

/** What `anything-but` leaves out: values, or texts that an operator describes; one of them or a list. */
function isOneOf(operand: unknown, value: Leaf): boolean {
  if (Array.isArray(operand)) return operand.includes(value);
  if (typeof operand !== 'object' || operand === null) return operand === value;
  const [[operator, wanted] = ['', undefined]] = Object.entries(operand);
  return [wanted].flat().some((each) => valueMatches({ [operator]: each }, value));
}

function isWithin(comparisons: readonly unknown[], value: number): boolean {
  if (Math.abs(value) > NUMERIC_MAX) return false;
  for (let i = 0; i < comparisons.length; i += 2) {
    const bound = comparisons[i + 1];
    if (typeof bound !== 'number' || !compares(value, comparisons[i] as Comparison, bound)) return false;
  }
  return true;
}

function compares(value: number, comparison: Comparison, bound: number): boolean {
  switch (comparison) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '=':
      return value === bound;
    case '>=':
      return value >= bound;
    case '>':
      return value > bound;
    default:
      return false;
  }
}

/** An address of the other family is in no block, whatever it stands for. */
function isInBlock(block: string, text: string): boolean {
  const family = isIP(text);
  if (family === 0 || !isCidr(block)) return false;
  const wanted: AddressBlock = parseCidr(block);
  if (wanted.family !== `ipv${family}`) return false;
  const list = new BlockList();
  list.addSubnet(wanted.address, wanted.prefix, wanted.family);
  return list.check(text, wanted.family);
}
