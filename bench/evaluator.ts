/** The evaluator beside what else runs JavaScript apart: rate, latency, waiting, start and memory. */
import { createQuickJsEvaluator } from '../src/evaluator/quickjs.ts';
import { coldStart, coldTick } from './evaluator/cold-start.ts';
import { IsolatedVmPeer } from './evaluator/isolated-vm.ts';
import { memory } from './evaluator/memory.ts';
import { prepareVm } from './evaluator/node-vm.ts';
import { each, peerLatency, peerRate, repeat } from './evaluator/peers.ts';
import { latency, runAll, type Subject, type ThroughputRows, throughput, waitTogether } from './evaluator/port.ts';
import { Bundles, sourcePrograms } from './evaluator/programs.ts';
import { distinctWork, HOST_CALL, LARGE_MODULE, NO_OP_MODULE, NO_OP_SCRIPT } from './evaluator/workload.ts';
import { median } from './measure.ts';
import { interleave, type Report, type Results, type Row, type Section, type Suite, type Unit } from './suite.ts';
import { catchWorker } from './threads.ts';

/** How often things are done in one round. */
interface Scale {
  readonly runs: number;
  readonly slowRuns: number;
  readonly sources: number;
  readonly singles: number;
  readonly starts: number;
}

const FULL: Scale = { runs: 30_000, slowRuns: 3_000, sources: 10_000, singles: 2_000, starts: 3 };
const QUICK: Scale = { runs: 3_000, slowRuns: 300, sources: 1_000, singles: 200, starts: 1 };

/** Runs that wait, and for how long. */
const WAITING_RUNS = 60;
const WAIT_MS = 100;
const MEMORY_RUNS = [60, 500];

const PEER = 'node:vm';
const VM = 'node:vm, new context (no security)';
const ISOLATED_VM = 'isolated-vm, fresh isolate';

interface Setting {
  readonly subject: Subject;
  readonly isolatedVm: IsolatedVmPeer;
  readonly bundles: Bundles;
  readonly scale: Scale;
}

export const evaluatorSuite: Suite = {
  name: 'evaluator',
  about: 'runs per second, latency, cold start and memory of the sandbox',
  async run(options): Promise<Report> {
    const scale = options.quick ? QUICK : FULL;
    const [evaluator, worker] = await catchWorker(() => createQuickJsEvaluator());
    // An idle worker does not keep the process, and asking it for its times does neither.
    const keepAlive = setInterval(() => {}, 2 ** 30);
    try {
      await using isolatedVm = await IsolatedVmPeer.start();
      await using bundles = await Bundles.make();
      const subject = { evaluator, worker };
      await runAll(evaluator, Array(scale.runs).fill(NO_OP_MODULE));
      const sections = [rates, latencies, waits, starts, memories].map((make) =>
        make({ subject, isolatedVm, bundles, scale }),
      );
      const results = await interleave(
        sections.flatMap(({ probes }) => probes),
        options,
      );
      return { suite: 'evaluator', peer: PEER, sections, results, notes: notesOf(results) };
    } finally {
      clearInterval(keepAlive);
      await evaluator.close();
    }
  },
};

const row = (name: string, unit: Unit, peer?: Row): Row => ({ name, unit, ...(peer !== undefined && { peer }) });

const throughputRows = (name: string, peer?: Row): ThroughputRows => ({
  rate: row(name, 'runs/s', peer),
  main: row('· CPU, main thread', 'µs/run'),
  worker: row('· CPU, worker', 'µs/run'),
  others: row("· CPU, V8's threads", 'µs/run'),
});

const VM_RATE = row(VM, 'runs/s');
const NO_OP = throughputRows('module `export default () => {}`', VM_RATE);

function rates({ subject, isolatedVm, scale }: Setting): Section {
  const { runs, slowRuns, sources } = scale;
  const vmLarge = row(`${VM}, 10 kB`, 'runs/s');
  const vmSources = row(`${VM}, ${sources} sources`, 'runs/s');
  let lastSource = 0;
  const another = () => distinctWork(lastSource++);
  const isolated = (name: string, peer: Row) => [row(`${ISOLATED_VM}${name}`, 'runs/s', peer)];
  return {
    title: 'Batches of 64, 10 in flight',
    probes: [
      throughput(subject, NO_OP, runs, () => NO_OP_MODULE),
      throughput(subject, throughputRows('script `({completed: false})`', VM_RATE), runs, () => NO_OP_SCRIPT),
      throughput(subject, throughputRows('module of 10 kB, bytecode cached', vmLarge), slowRuns, () => LARGE_MODULE),
      throughput(subject, throughputRows(`${sources} different sources`, vmSources), sources, another),
      throughput(subject, throughputRows('module with one host call'), slowRuns, () => HOST_CALL),
      peerRate(VM_RATE, slowRuns, () => repeat(prepareVm, NO_OP_SCRIPT)),
      peerRate(vmLarge, slowRuns, () => repeat(prepareVm, LARGE_MODULE)),
      peerRate(vmSources, slowRuns, () => each(prepareVm, Array.from({ length: slowRuns }, another))),
      isolatedVm.probe(isolated('', VM_RATE), { what: 'rate', count: slowRuns / 10 }),
      isolatedVm.probe(isolated(', 10 kB', vmLarge), { what: 'large', count: slowRuns / 10 }),
      isolatedVm.probe(isolated(`, ${sources} sources`, vmSources), { what: 'distinct', count: slowRuns / 10 }),
    ],
  };
}

function latencies({ subject, isolatedVm, scale }: Setting): Section {
  const { singles } = scale;
  const vm = { p50: row(`${VM}, p50`, 'µs'), p99: row(`${VM}, p99`, 'µs') };
  const rows = (name: string, peers?: typeof vm) => ({
    p50: row(`${name}, p50`, 'µs', peers?.p50),
    p99: row(`${name}, p99`, 'µs', peers?.p99),
  });
  const isolated = rows(ISOLATED_VM, vm);
  return {
    title: 'Round trip of one run at a time',
    probes: [
      latency(subject, rows('module `export default () => {}`', vm), singles, NO_OP_MODULE),
      latency(subject, rows('module with one host call'), singles, HOST_CALL),
      peerLatency(vm, singles, () => repeat(prepareVm, NO_OP_SCRIPT)),
      isolatedVm.probe([isolated.p50, isolated.p99], { what: 'latency', count: singles / 4 }),
    ],
  };
}

const waits = ({ subject }: Setting): Section => ({
  title: 'Runs that wait for a host call',
  probes: [waitTogether(subject, row(`${WAITING_RUNS} runs, each ${WAIT_MS} ms`, 'ms'), WAITING_RUNS, WAIT_MS)],
});

function starts({ bundles: { programs, directory }, scale }: Setting): Section {
  const vm = row('node:vm: first outcome', 'ms');
  return {
    title: 'From the start of a process',
    probes: [
      coldStart(row('Node alone: first line', 'ms'), scale.starts, programs('nothing')),
      coldStart(vm, scale.starts, programs('node-vm')),
      coldStart(row('evaluator, bundled: first outcome', 'ms', vm), scale.starts, programs('evaluator')),
      coldStart(row('evaluator, source: first outcome', 'ms', vm), scale.starts, sourcePrograms('evaluator')),
      coldTick(row('tick, bundled: first launch recorded', 'ms'), scale.starts, programs, directory),
      coldTick(row('tick, source: first launch recorded', 'ms'), scale.starts, sourcePrograms, directory),
    ],
  };
}

function memories({ bundles }: Setting): Section {
  const rows = {
    node: row('Node alone', 'MiB'),
    rest: row('evaluator at rest', 'MiB'),
    waiting: MEMORY_RUNS.map((asked) => ({
      asked,
      bytes: row(`evaluator, ${asked} runs asked to wait`, 'MiB'),
      atOnce: row('· that wait at the same time', 'runs'),
    })),
    perRun: row('one more run that waits', 'KiB'),
  };
  return { title: 'Resident memory, bundled', probes: [memory(rows, bundles.programs('memory'))] };
}

/** Who has no time left sets the rate. */
function notesOf(results: Results): string[] {
  const of = (measured: Row): number => median(results.get(measured) as readonly number[]);
  const [rate, main, worker] = [of(NO_OP.rate), of(NO_OP.main), of(NO_OP.worker)];
  const share = (us: number): string => `${Math.round((us * rate) / 10_000)} %`;
  const [limit, other] = worker >= main ? ['worker', 'main thread'] : ['main thread', 'worker'];
  const [most, least] = [Math.max(main, worker), Math.min(main, worker)];
  return [
    `What limits a no-op: the ${limit}, ${share(most)} busy (the ${other}: ${share(least)}). With a core of its own it would do ${Math.round(1e6 / most).toLocaleString('en')} runs/s.`,
    'Peers run in the thread of their caller, one after another, without a limit on time; node:vm without one on memory.',
  ];
}
