/** What counts as a JSON value here: pure. Told without recursion, so that no nesting overflows the stack. */
import { received } from './errors.ts';

/** Arrays and objects within each other. */
export const JSON_DEPTH_MAX = 64;

/** More than a document may hold. */
const NODES_LOOKED_AT_MAX = 32_768;

/** Why a value is no JSON that may be stored; undefined when it is. */
export function jsonProblem(value: unknown): string | undefined {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > JSON_DEPTH_MAX) return `allowed: JSON nested at most ${JSON_DEPTH_MAX} levels deep`;
    const index = level.findIndex((each) => !isJsonNode(each));
    const odd = level[index];
    if (index >= 0)
      return `received ${typeof odd === 'object' ? 'an object that is not plain' : received(odd)}; allowed: JSON`;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return undefined;
}

/**
 * Whether {@link jsonProblem} finds nothing, for what is small and nearly always right: a fifth of its time. False may also
 * mean that there is more than was looked at: objects that lead to each other have no end.
 */
export function isPlainJson(value: unknown): boolean {
  let left = NODES_LOOKED_AT_MAX;
  const isPlain = (node: unknown, depth: number): boolean => {
    if (--left < 0 || depth > JSON_DEPTH_MAX || !isJsonNode(node)) return false;
    if (typeof node !== 'object' || node === null) return true;
    for (const each of Object.values(node)) if (!isPlain(each, depth + 1)) return false;
    return true;
  };
  return isPlain(value, 0);
}

function isJsonNode(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm is plain too.
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}
