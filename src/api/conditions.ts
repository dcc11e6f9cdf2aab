/** Conditional requests (RFC 9110, section 13): a task's ETag is the revision of its definition, in quotes. */
import { CronkeeperError, received } from '../errors.ts';
import type { PutOptions } from '../tasks.ts';
import { HttpProblem } from './problem.ts';

export const etagOf = (revision: number): string => `"${revision}"`;

export const isConditional = (headers: Headers): boolean => headers.has('if-match') || headers.has('if-none-match');

const TAG_LIST = /^\s*(?:W\/)?"[!#-~]*"\s*(?:,\s*(?:W\/)?"[!#-~]*"\s*)*$/;

/**
 * @param current the task's revision now, asked for only when the header names several.
 * @throws CronkeeperError `conflict` when no revision can satisfy it; HttpProblem 400 when it cannot be read.
 */
export async function readConditions(
  headers: Headers,
  current: () => Promise<number | undefined>,
): Promise<PutOptions> {
  const ifMatch = headers.get('if-match');
  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== null && ifNoneMatch.trim() !== '*') throw unreadable('If-None-Match', ifNoneMatch, '*');
  return {
    ...(ifMatch !== null && { ifMatch: await readIfMatch(ifMatch, current) }),
    ...(ifNoneMatch !== null && { ifNoneMatch: '*' }),
  };
}

async function readIfMatch(header: string, current: () => Promise<number | undefined>): Promise<number> {
  const isAny = header.trim() === '*';
  if (!isAny && !TAG_LIST.test(header)) throw unreadable('If-Match', header, 'an ETag such as "3", or *');
  // A weak tag never matches here: the comparison is the strong one.
  const tags = isAny ? [] : [...header.matchAll(/(W\/)?"[^"]*"/g)].filter(([, weak]) => weak === undefined);
  const revisions = tags.flatMap(([tag]) => (/^"[1-9]\d{0,14}"$/.test(tag) ? [Number(tag.slice(1, -1))] : []));
  const [only] = revisions;
  if (only !== undefined && revisions.length === 1) return only;
  const revision = await current();
  if (revision !== undefined && (isAny || revisions.includes(revision))) return revision;
  const found = revision === undefined ? 'no such task' : etagOf(revision);
  throw new CronkeeperError('conflict', `the request asks for ${received(header)}; found ${found}`);
}

const unreadable = (name: string, value: string, allowed: string): HttpProblem =>
  new HttpProblem(400, 'invalid', `${name}: received ${received(value)}; allowed: ${allowed}`);
