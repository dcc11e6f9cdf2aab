/** What tasks and events say is shown, and not obeyed: no command lets it speak to the terminal of who looks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { openCronkeeper } from '../src/app.ts';
import { dead, redrive } from '../src/cli/again.ts';
import { audit } from '../src/cli/audit.ts';
import { get, list, runs } from '../src/cli/commands.ts';
import type { Context } from '../src/cli/connection.ts';
import { emit } from '../src/cli/emit.ts';
import { tickOnce } from '../src/cli/engine.ts';
import { errorText } from '../src/cli/exit.ts';
import { showLaunches } from '../src/cli/launches.ts';
import { createOutput } from '../src/cli/output.ts';
import { replay } from '../src/cli/replay.ts';
import { formatTable } from '../src/cli/table.ts';
import { verify } from '../src/cli/verify.ts';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config.ts';
import { CronkeeperError } from '../src/errors.ts';
import { HOSTILE, hostileText, TERMINAL_CONTROLS } from './support/hostile-text.ts';
import { streams } from './support/streams.ts';

jest.setTimeout(60_000);

/** Colours that are ours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is how terminals are told.
const withoutColours = (text: string): string => text.replace(/\u001b\[(?:1|2|22|3[1-9])m/g, '');

describe('an output', () => {
  test('obeys nothing of what it shows, whatever that is', () => {
    fc.assert(
      fc.property(hostileText, fc.boolean(), (text, isJson) => {
        const { text: said, ...both } = streams(false);
        const output = createOutput(isJson, both);
        const columns = [
          { title: 'A', text: (row: string) => row, paint: (cell: string) => output.paint('red', cell) },
        ];
        output.item({ text }, () => `${output.paint('red', text)} ${text}`);
        output.item({ text }, () => formatTable(columns, [text, text]));
        output.note(text);
        output.note(errorText(new CronkeeperError('unavailable', text)) ?? '');
        expect(said()).not.toMatch(TERMINAL_CONTROLS);
        if (isJson) expect(JSON.parse(said().split('\n', 1)[0] ?? '')).toEqual({ text });
      }),
      { numRuns: 200 },
    );
  });

  test('lets colours through on a terminal, and nothing else', () => {
    const { text: said, ...both } = streams(true);
    const output = createOutput(false, both);
    output.result(0, () => `${output.paint('red', HOSTILE)} ${HOSTILE}`);
    expect(said().split('\u001b').length).toBe(3);
    expect(withoutColours(said())).not.toMatch(TERMINAL_CONTROLS);
  });
});

describe.each([false, true])('with a terminal: %s', (isTerminal) => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cronkeeper-terminal-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('no command obeys a task or an event', async () => {
    const url = `embedded:${join(directory, 'hostile.db')}`;
    const keeper = await openCronkeeper({ url });
    const code = (rest: string) =>
      `/* ${HOSTILE.replaceAll('\u0000', '')} */ const h = ${JSON.stringify(HOSTILE)};\n${rest}`;
    const common = { schedule: { after: '0s' }, input: HOSTILE, labels: { team: HOSTILE.slice(0, 60) } };
    const said = streams(isTerminal);
    const output = createOutput(false, said);
    await keeper.tasks.putMany([
      {
        ...common,
        id: 'good',
        code: code('export default (ctx) => { console.log(h); return { output: h, state: h } }'),
      },
      { ...common, id: 'bad', retry: { attempts: 1 }, code: code('throw Object.assign(new Error(h), { name: h })') },
    ]);
    await keeper.tick({ onRun: showLaunches(output) });
    await keeper.close();

    const config = readConfig({});
    const context: Context = { flags: { url }, config, output, clock: systemClock, principal: 'local:me' };
    const event = join(directory, 'event.json');
    await writeFile(
      event,
      JSON.stringify({ id: HOSTILE.slice(0, 60), source: HOSTILE, 'detail-type': HOSTILE, detail: {} }),
    );
    const commands: Record<string, () => Promise<void>> = {
      list: () => list(context, { limit: 10 }),
      get: () => get(context, 'good'),
      runs: () => runs(context, 'good', { limit: 10 }),
      dead: () => dead(context, undefined, { limit: 10 }),
      replay: () => replay(context, 'good', {}),
      verify: () => verify(context, {}),
      redrive: () => redrive(context, 'bad', undefined),
      audit: () => audit(context, { limit: 10 }),
      emit: () => emit(context, event, Readable.from([])),
      tick: () => tickOnce(context, {}),
    };
    const seen: Record<string, string> = { launches: said.text() };
    for (const [name, command] of Object.entries(commands)) {
      const before = said.text().length;
      await command();
      seen[name] = said.text().slice(before);
    }
    for (const [name, text] of Object.entries(seen)) {
      expect([name, withoutColours(text)]).toEqual([name, expect.not.stringMatching(TERMINAL_CONTROLS)]);
    }
    expect(parse(seen.get ?? '').input).toBe(HOSTILE);
    expect(seen.launches).toContain('forged');
  });
});
