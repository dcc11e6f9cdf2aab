/** What a command says, in this process. */
import { PassThrough } from 'node:stream';

/** Both streams of a command; as a terminal, with colours. */
export function streams(isTerminal = false) {
  const said: string[] = [];
  const stream = () => {
    const made = Object.assign(new PassThrough(), isTerminal && { isTTY: true, getColorDepth: () => 8 });
    made.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    return made as unknown as NodeJS.WriteStream;
  };
  return { stdout: stream(), stderr: stream(), text: () => said.join('') };
}
