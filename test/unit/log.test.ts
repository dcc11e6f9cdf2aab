/** What the program says: one line for a store, whatever is in it. */
import { describe, expect, test } from '@jest/globals';
import { createLines } from '../../src/lambda/lines.ts';
import { createJsonLog, type Log } from '../../src/log.ts';

const AT = { now: () => 1_772_960_400_000 };

const logs: readonly (readonly [string, (write: (line: string) => void) => Log])[] = [
  ['of the program', (write) => createJsonLog(write, AT)],
  ['of a function', (write) => createLines(write, AT).log],
];

describe.each(logs)('a line of the log %s', (_, create) => {
  const written = (message: string, fields = {}): string => {
    let text = '';
    create((line) => {
      text += line;
    })('warn', message, fields);
    return text;
  };

  test('is one JSON object with the names that Lambda filters by', () => {
    expect(JSON.parse(written('hello', { taskId: 'a' }))).toMatchObject({
      timestamp: '2026-03-08T09:00:00.000Z',
      level: 'WARN',
      message: 'hello',
      taskId: 'a',
    });
  });

  test('stays one line, and cannot speak to a terminal', () => {
    const hostile = 'a\nb\r\u001b[2J\u0085\u2028\u2029\u007f\u009b31m"}\n{"level":"INFO"}';
    const line = written('run', { error: hostile });
    expect(line.indexOf('\n')).toBe(line.length - 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(JSON.parse(line).error).toBe(hostile);
  });

  test('is cut when a log store would cut it', () => {
    const line = written('run', { error: 'x'.repeat(1_000_000) });
    expect(line.length).toBeLessThan(300);
    expect(JSON.parse(line)).toMatchObject({ message: 'run', omitted: expect.stringContaining('characters') });
  });
});
