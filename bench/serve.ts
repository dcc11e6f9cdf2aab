/** The side of the subject: answers what `subject.ts` asks, one after another, and ends with whoever asks. */
import { createInterface } from 'node:readline';

export type Answers = Readonly<Record<string, (request: never) => Promise<unknown>>>;

export function serve(answers: Answers): void {
  const say = (line: object): void => {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => process.exit());
  lines.on('line', async (line) => {
    const { ask, ...request } = JSON.parse(line) as { ask: string };
    try {
      const answer = answers[ask];
      if (answer === undefined) throw new Error('nobody answers that');
      say({ answer: (await answer(request as never)) ?? null });
    } catch (error) {
      say({ error: error instanceof Error ? error.stack : String(error) });
    }
  });
}
