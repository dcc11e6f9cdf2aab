/** `npm run bench -- [suite…|all] [--rounds N] [--n N] [--peer bullmq] [--quick] [--json]`: how fast it is, beside what else one could use. */
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { coldSuite } from './cold.ts';
import { drainSuite } from './drain.ts';
import { evaluatorSuite } from './evaluator.ts';
import { failoverSuite } from './failover.ts';
import { idleSuite } from './idle.ts';
import { describeMachine, type Machine, machineLine } from './machine.ts';
import { oneshotSuite } from './oneshot.ts';
import { putSuite } from './put.ts';
import { recoverySuite } from './recovery.ts';
import { repeatSuite } from './repeat.ts';
import { scaleSuite } from './scale.ts';
import { simulateSuite } from './simulate.ts';
import { PEERS, type PeerName, type Report, type Suite, type SuiteOptions } from './suite.ts';
import { formatReport, reportAsJson } from './table.ts';

const SUITES: readonly Suite[] = [
  ...[drainSuite, putSuite, repeatSuite, oneshotSuite, idleSuite, failoverSuite],
  ...[coldSuite, evaluatorSuite, recoverySuite, scaleSuite, simulateSuite],
];
const ALL = 'all';

const ROUNDS = 5;
const ROUNDS_MAX = 100;
const COUNT_MAX = 10_000_000;
const NODES_MAX = 9;

const USAGE = `npm run bench -- [suite…|all]    all suites, or some of:
${SUITES.map(({ name, about }) => `  ${name.padEnd(30)} ${about}`).join('\n')}
       [--rounds ${ROUNDS}]               1 to ${ROUNDS_MAX}; each number is the median of so many
       [--quick]                  a tenth of the work or less: shows that it works, not how fast
       [--n N]                    so many launches or tasks, in place of a suite's own sizes
       [--peer ${PEERS.join('|')}]            in the same rounds, too, with ratios; needs redis-server, installs the rest
       [--nodes 1]                ZooKeeper servers, 1 to ${NODES_MAX}; what recovery does needs three of its own
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
        n: { type: 'string' },
        peer: { type: 'string' },
        nodes: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { quick, json: isJson, help, n, peer } = values;
    const isAll = positionals.length === 0 || positionals.includes(ALL);
    return {
      suites: isAll ? SUITES : [...new Set(positionals)].map(suiteNamed),
      rounds: whole('--rounds', values.rounds, ROUNDS_MAX),
      nodes: whole('--nodes', values.nodes, NODES_MAX),
      ...(n !== undefined && { n: whole('--n', n, COUNT_MAX) }),
      ...(peer !== undefined && { peer: peerNamed(peer) }),
      ...{ quick, isJson, help },
    };
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function suiteNamed(name: string): Suite {
  const suite = SUITES.find((each) => each.name === name);
  if (suite !== undefined) return suite;
  throw new Error(`suite ${JSON.stringify(name)}: allowed are ${[...SUITES.map((each) => each.name), ALL].join(', ')}`);
}

function peerNamed(name: string): PeerName {
  const peer = PEERS.find((each) => each === name);
  if (peer !== undefined) return peer;
  throw new Error(`--peer ${JSON.stringify(name)}: allowed are ${PEERS.join(', ')}`);
}

function whole(option: string, text: string, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
  throw new Error(`${option} ${JSON.stringify(text)}: a whole number from 1 to ${max} is allowed`);
}
