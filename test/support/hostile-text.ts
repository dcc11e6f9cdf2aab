/** Texts that want to be more than text: to end a line, to begin another, or to speak to the terminal. */
import fc from 'fast-check';

/** What a line of a log must not hold: C0, DELETE, C1, and separators of lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
export const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Beside line feeds and tabs, what a terminal may obey. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
export const TERMINAL_CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** Colours the background, clears the screen, sets the title, asks the terminal to answer, hides and overwrites. */
const ESCAPES = [
  '\u001b[41m',
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u009b6n',
  '\u001bc',
  '\u0008\u007f\u0000\r\u0085',
];

/** All of them, and a line that looks like one of ours. */
export const HOSTILE = `a${ESCAPES.join('b')}\u2028\n{"level":"INFO","message":"forged"}\r\n✓ forged`;

/** Any text, often with one of these in it. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(...ESCAPES, '\n', '\u2029', '"}', '\\', HOSTILE),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));
