/** The envelope of EventBridge, read. Fields that AWS adds are no concern of ours; those that we need must be right. */
import { type Problem, received } from '../errors.ts';
import type { BusEvent } from '../event.ts';
import { isObject } from '../trigger.ts';

const TEXT_MAX = 256;

/** What is wrong with it; empty when nothing is. An `id` may be missing where whoever delivers it names it. */
export function busEventProblems(event: Readonly<Record<string, unknown>>): readonly Problem[] {
  const problems: Problem[] = [];
  const check = (field: string, value: unknown, isRight: boolean, allowed: string) => {
    if (!isRight) problems.push({ field, message: `received ${received(value)}; allowed: ${allowed}` });
  };
  const text = `a text of 1 to ${TEXT_MAX} characters`;
  check('id', event.id, event.id === undefined || isText(event.id), text);
  check('source', event.source, isText(event.source), text);
  check('detailType', detailTypeOf(event), isText(detailTypeOf(event)), text);
  if (!('detail' in event)) check('detail', undefined, false, 'JSON');
  return problems;
}

/** For an event without problems. `id`: where it has none of its own. */
export function busEventOf(event: unknown, id: string): BusEvent {
  const fields = isObject(event) ? event : {};
  const { source, detail, time, account, region, resources } = fields;
  return {
    id: String(fields.id ?? id),
    source: String(source),
    detailType: String(detailTypeOf(fields)),
    detail,
    ...(typeof time === 'string' && { time }),
    ...(typeof account === 'string' && { account }),
    ...(typeof region === 'string' && { region }),
    ...(Array.isArray(resources) && { resources: resources.map(String) }),
  };
}

const detailTypeOf = (event: Readonly<Record<string, unknown>>): unknown => event.detailType ?? event['detail-type'];

const isText = (value: unknown): boolean => typeof value === 'string' && value.length >= 1 && value.length <= TEXT_MAX;
