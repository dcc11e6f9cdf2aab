/** `npm run bench -- [suite…|all]`, and its options below: how fast it is, beside what else one could use. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { messageOf } from '../src/errors.ts';
import { projectRoot } from '../tools/imports.ts';
import { coldSuite } from './cold.ts';
import { drainSuite } from './drain.ts';
import { evaluatorSuite } from './evaluator.ts';
import { failoverSuite } from './failover.ts';
import { idleSuite } from './idle.ts';
import { describeMachine, machineLine } from './machine.ts';
import { oneshotSuite } from './oneshot.ts';
import { BullMqPeer } from './peers/bullmq/peer.ts';
import { putSuite } from './put.ts';
import { type BenchData, readmeBlock, withBlock } from './readme.ts';
import { recoverySuite } from './recovery.ts';
import { repeatSuite } from './repeat.ts';
import { scaleSuite } from './scale.ts';
import { simulateSuite } from './simulate.ts';
import { PEERS, type PeerName, type Report, type Suite, type SuiteOptions } from './suite.ts';
import { formatReport, reportAsJson } from './table.ts';
import { zooKeeperVersions } from './zookeeper.ts';

const SUITES: readonly Suite[] = [
  ...[drainSuite, putSuite, repeatSuite, oneshotSuite, idleSuite, failoverSuite],
  ...[coldSuite, evaluatorSuite, recoverySuite, scaleSuite, simulateSuite],
];
const ALL = 'all';
const README_SUITES: readonly Suite[] = [
  ...[drainSuite, putSuite, repeatSuite, oneshotSuite, idleSuite, failoverSuite, coldSuite],
];
const README = join(projectRoot, 'README.md');

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
       [--json]                   data on stdout, with the number of every round
       [--readme]                 what the README's table shows, beside the peer, and writes it there; with --quick it is only shown
       [--from file]              with --readme: writes what --json said, and measures nothing`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const NOT_WITH_README = '--readme has suites and sizes of its own: neither suites nor --n go with it';

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
  const { help, from, ...options } = readArguments();
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (from !== undefined) {
    writeReadme(JSON.parse(readFileSync(from, 'utf8')) as BenchData);
    return;
  }
  const { suites, isJson, isReadme, ...given } = options;
  const { data, reports } = await measured(suites, isReadme ? await asForReadme(given) : given);
  if (isJson) process.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
  else process.stdout.write(`${reports.map((report) => asText(data, report)).join('\n\n')}\n`);
  if (isReadme) writeReadme(data);
}

type Settings = Omit<SuiteOptions, 'tell'>;

async function measured(suites: readonly Suite[], settings: Settings) {
  const measuredAt = new Date(systemClock.now()).toISOString();
  const machine = describeMachine(await versionsOf(settings));
  const reports: Report[] = [];
  for (const suite of suites) {
    reports.push(await suite.run({ ...settings, tell: (line) => tell(suite.name, line) }));
  }
  const data: BenchData = { measuredAt, machine, ...settings, suites: reports.map(reportAsJson) };
  return { data, reports };
}

/** Only the sizes that the table shows, and the peer where it can be had: where not, the table says so. */
async function asForReadme(given: Settings): Promise<Settings> {
  try {
    await BullMqPeer.install((line) => tell('peer', line));
    return { ...given, brief: true, peer: 'bullmq' };
  } catch (error) {
    tell('peer', `is not measured: ${messageOf(error)}`);
    return { ...given, brief: true };
  }
}

async function versionsOf({ peer }: Settings): Promise<string[]> {
  const zooKeeper = await zooKeeperVersions();
  if (peer === undefined) return zooKeeper;
  const { versions } = await BullMqPeer.install((line) => tell('peer', line));
  return [...zooKeeper, versions];
}

/** The only place that does. Numbers of a quick run are for nobody to read. */
function writeReadme(data: BenchData): void {
  const block = readmeBlock(data);
  if (data.quick) process.stdout.write(`\n${block}\n`);
  else writeFileSync(README, withBlock(readFileSync(README, 'utf8'), block));
}

function tell(of: string, line: string): void {
  process.stderr.write(`${of}: ${line}\n`);
}

function asText({ rounds, quick, machine }: BenchData, report: Report): string {
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
        readme: { type: 'boolean', default: false },
        from: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const { quick, json: isJson, readme: isReadme, from, help, n, peer } = values;
    if (isReadme && (positionals.length > 0 || n !== undefined)) throw new Error(NOT_WITH_README);
    if (from !== undefined && !isReadme) throw new Error('--from goes with --readme only');
    const isAll = positionals.length === 0 || positionals.includes(ALL);
    return {
      suites: isReadme ? README_SUITES : isAll ? SUITES : [...new Set(positionals)].map(suiteNamed),
      rounds: whole('--rounds', values.rounds, ROUNDS_MAX),
      nodes: whole('--nodes', values.nodes, NODES_MAX),
      ...(n !== undefined && { n: whole('--n', n, COUNT_MAX) }),
      ...(peer !== undefined && { peer: peerNamed(peer) }),
      ...(from !== undefined && { from }),
      ...{ quick, isJson, isReadme, help },
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
