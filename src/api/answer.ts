/** Answers in JSON, none larger than what carries it. */
import { type Page, pageLimit } from '../tasks.ts';

/** Bytes of a page. Lambda refuses answers above 6 MB. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

export const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  jsonText(JSON.stringify(value), status, headers);

function jsonText(text: string, status: number, headers: Readonly<Record<string, string>>): Response {
  return new Response(text, { status, headers: { 'content-type': 'application/json', ...headers } });
}

/** A page of a list. One that came out too large is read again, half as long; its cursor leads to the rest. */
export async function jsonPage(
  limitAsked: number | undefined,
  read: (limit: number) => Promise<Page<unknown>>,
): Promise<Response> {
  for (let limit = pageLimit(limitAsked); ; limit = Math.ceil(limit / 2)) {
    const text = JSON.stringify(await read(limit));
    if (limit === 1 || Buffer.byteLength(text) <= PAGE_BYTES_MAX) return jsonText(text, 200, {});
  }
}
