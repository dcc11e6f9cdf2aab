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
  return {
    isJson,
    result: (value, human) => void stdout.write(`${isJson ? JSON.stringify(value, null, 2) : human()}\n`),
    item: (value, human) => void stdout.write(`${isJson ? JSON.stringify(value) : human()}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    paint: (colour, text) => styleText(colour, text, { stream: stdout }),
  };
}
