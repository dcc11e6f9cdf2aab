/** What a command says: results on stdout, everything else on stderr; as JSON alone, or for people. */
import { styleText } from 'node:util';

export type Colour = Parameters<typeof styleText>[0];

export interface Output {
  /** Whether results are for machines. */
  readonly isJson: boolean;
  /** The command's result: as JSON, or the text that `human` makes of it. */
  result(value: unknown, human: () => string): void;
  /** One of many results, on a line of its own: JSON lines, or text. */
  item(value: unknown, human: () => string): void;
  /** What is not the result: progress, hints, warnings. On stderr. */
  note(text: string): void;
  /** Colours, if stdout is a terminal that shows them and nobody objects (NO_COLOR). */
  paint(colour: Colour, text: string): string;
}

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function createOutput(isJson: boolean, { stdout, stderr }: Streams): Output {
  // Without colours, not even these are let through.
  const hasColours = styleText('red', ' ', { stream: stdout }) !== ' ';
  const shown = (text: string): string =>
    hasColours
      ? text
          .split(COLOURS)
          .map((part, i) => (i % 2 === 1 ? part : printable(part)))
          .join('')
      : printable(text);
  return {
    isJson,
    result: (value, human) =>
      void stdout.write(`${isJson ? printable(JSON.stringify(value, null, 2)) : shown(human())}\n`),
    item: (value, human) => void stdout.write(`${isJson ? printable(JSON.stringify(value)) : shown(human())}\n`),
    note: (text) => void stderr.write(`${printable(text)}\n`),
    paint: (colour, text) => styleText(colour, printable(text), { stream: stdout }),
  };
}

/** All that a terminal may obey, but line feeds and tabs: C0, DELETE, and C1, which `JSON.stringify` leaves as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** What tasks and events have written must not steer the terminal. In the spelling of JSON, and of YAML in quotes. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Changes of colour and weight that `paint` makes; others are not ours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is how terminals are told.
const COLOURS = /(\u001b\[(?:1|2|22|3[1-9])m)/;
