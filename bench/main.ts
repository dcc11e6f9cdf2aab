/** `npm run bench -- [suite…] [--rounds N] [--quick] [--json]`: how fast it is, beside what else one could use. */
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { evaluatorSuite } from './evaluator.ts';
import { describeMachine, type Machine, machineLine } from './machine.ts';
import { recoverySuite } from './recovery.ts';
import { scaleSuite } from './scale.ts';
import type { Report, Suite, SuiteOptions } from './suite.ts';
import { formatReport, reportAsJson } from './table.ts';

const SUITES: readonly Suite[] = [evaluatorSuite, recoverySuite, scaleSuite];

const ROUNDS = 5;
const ROUNDS_MAX = 100;

const USAGE = `npm run bench -- [suite…]        all suites, or some of:
${SUITES.map(({ name, about }) => `  ${name.padEnd(30)} ${about}`).join('\n')}
       [--rounds ${ROUNDS}]               1 to ${ROUNDS_MAX}; each number is the median of so many
       [--quick]                  a tenth of the work: shows that it works, not how fast
       [--json]                   data on stdout, with the number of every round`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

class UsageError extends Error {}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = isUsage ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
}

async function main(): Promise<void> {
  const { suites, isJson, help, ...options } = readArguments();
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const machine = describeMachine();
  const reports: Report[] = [];
  for (const suite of suites) reports.push(await suite.run({ ...options, tell: (line) => tell(suite, line) }));
  process.stdout.write(isJson ? `${JSON.stringify(asData(machine, options, reports), null, 2)}\n` : '');
  if (!isJson) process.stdout.write(`${reports.map((report) => asText(machine, options, report)).join('\n\n')}\n`);
}

type Settings = Omit<SuiteOptions, 'tell'>;

function tell({ name }: Suite, line: string): void {
  process.stderr.write(`${name}: ${line}\n`);
}

function asData(machine: Machine, settings: Settings, reports: readonly Report[]): object {
  return { machine, ...settings, suites: reports.map(reportAsJson) };
}

function asText(machine: Machine, { rounds, quick }: Settings, report: Report): string {
  const how = `Median and range of ${rounds} interleaved rounds.`;
  return [formatReport(report), quick ? `${how} QUICK: not for quoting.` : how, machineLine(machine)].join('\n');
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: String(ROUNDS) },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { rounds, quick, json: isJson, help } = values;
    const suites = positionals.length === 0 ? SUITES : [...new Set(positionals)].map(suiteNamed);
    return { suites, rounds: roundsOf(rounds), quick, isJson, help };
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function suiteNamed(name: string): Suite {
  const suite = SUITES.find((each) => each.name === name);
  if (suite !== undefined) return suite;
  throw new Error(`suite ${JSON.stringify(name)}: allowed are ${SUITES.map((each) => each.name).join(', ')}`);
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (/^\d+$/.test(text) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new Error(`--rounds ${JSON.stringify(text)}: a whole number from 1 to ${ROUNDS_MAX} is allowed`);
}
