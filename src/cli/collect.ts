/** Lists longer than what one request answers. */
import type { ListOptions, Page } from '../tasks.ts';
import type { Context } from './connection.ts';

/** One request for a part of a list. */
export const PAGE_MAX = 1_000;

/** Part after part, until there are enough or no more. */
export async function collect<T>(
  limit: number,
  cursor: string | undefined,
  read: (part: Required<Pick<ListOptions, 'limit'>> & Pick<ListOptions, 'cursor'>) => Promise<Page<T>>,
): Promise<Page<T>> {
  const items: T[] = [];
  let next = cursor;
  do {
    const part = { limit: Math.min(PAGE_MAX, limit - items.length), ...(next !== undefined && { cursor: next }) };
    const page = await read(part);
    items.push(...page.items);
    next = page.cursor;
  } while (next !== undefined && items.length < limit);
  return { items, ...(next !== undefined && { cursor: next }) };
}

export function sayMore({ output }: Context, cursor: string | undefined): void {
  if (cursor !== undefined && !output.isJson) output.note(`there may be more: --limit, or --cursor ${cursor}`);
}
