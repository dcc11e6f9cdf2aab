/** Lines of a log that nobody forges: whatever tasks, callers and servers say, it stays in its field of its line. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLines } from '../../src/lambda/lines.ts';
import { createJsonLog, type Log } from '../../src/log.ts';
import { CONTROLS, hostileText } from '../support/hostile-text.ts';

const AT = { now: () => 1_772_960_400_000 };

/** Every log there is, as it writes lines. */
const LOGS: readonly (readonly [what: string, create: (write: (line: string) => void) => Log])[] = [
  ['of the program', (write) => createJsonLog(write, AT)],
  ['of a function', (write) => createLines(write, AT).log],
];

const fields = fc.record(
  {
    taskId: hostileText,
    error: hostileText,
    logs: fc.array(hostileText, { maxLength: 4 }),
    output: fc.jsonValue({ stringUnit: 'binary', maxDepth: 2 }),
    nested: fc.dictionary(hostileText, hostileText, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

describe.each(LOGS)('the log %s', (_, create) => {
  test('writes one line for each record, and reads the same', () => {
    fc.assert(
      fc.property(fc.constantFrom('info', 'warn', 'error'), hostileText, fields, (level, message, said) => {
        const lines: string[] = [];
        create((line) => lines.push(line))(level, message, said);
        const text = lines.join('');
        expect(text.match(CONTROLS)).toEqual(['\n']);
        expect(text.endsWith('\n')).toBe(true);
        const wanted = { level: level.toUpperCase(), message, ...said };
        expect(JSON.parse(text)).toEqual(expect.objectContaining(JSON.parse(JSON.stringify(wanted))));
      }),
      { numRuns: 300 },
    );
  });
});
