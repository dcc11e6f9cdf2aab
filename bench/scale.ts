/** How throughput grows with processes that share the shards of one namespace, on a real ZooKeeper. */
import { cpus } from 'node:os';
import { urlOf } from './recovery/stage.ts';
import { type Drained, drain, SHARDS } from './scale/drain.ts';
import { interleave, type Probe, type Report, type Row, type Section, type Suite, type SuiteOptions } from './suite.ts';
import { startServers } from './zookeeper.ts';

const PROCESSES = [1, 2, 4];

/** What is drained, and how many of it in one round. */
interface Backlog {
  readonly title: string;
  readonly launches: number;
  /** Each asks its host to wait so long, as a request to somebody else would. */
  readonly waitMs: number;
}

const BACKLOGS: readonly Backlog[] = [
  { title: 'No-op launches', launches: 8_000, waitMs: 0 },
  { title: 'Launches that wait 20 ms', launches: 2_000, waitMs: 20 },
  { title: 'Launches that wait 4 s', launches: 2_560, waitMs: 4_000 },
];

const QUICK_SHARE = 20;

export const scaleSuite: Suite = {
  name: 'scale',
  about: '1, 2 and 4 processes that share the shards of one namespace, on a real ZooKeeper',
  async run(options): Promise<Report> {
    await using servers = await startServers(1);
    const url = urlOf(servers.addresses);
    await drain(url, 2, options.quick ? 100 : 4_000, 0); // the server gets warm, too
    const sections = BACKLOGS.map((backlog) => sectionOf(url, backlog, options));
    const results = await interleave(
      sections.flatMap(({ probes }) => probes),
      options,
    );
    return { suite: 'scale', peer: '1 process', sections, results, notes: NOTES };
  },
};

function sectionOf(url: string, { title, launches, waitMs }: Backlog, { quick }: SuiteOptions): Section {
  const count = quick ? launches / QUICK_SHARE : launches;
  const one: Row = { name: '1 process', unit: 'launches/s' };
  const probes = PROCESSES.map((processes): Probe => {
    const rate: Row = processes === 1 ? one : { name: `${processes} processes`, unit: 'launches/s', peer: one };
    const rows = [rate, ...SIDE_ROWS.filter(({ alone }) => alone || processes > 1).map(({ row }) => ({ ...row }))];
    return {
      rows,
      async measure() {
        const drained = await drain(url, processes, count, waitMs);
        const side = SIDE_ROWS.filter(({ alone }) => alone || processes > 1);
        return [count / (drained.durationMs / 1_000), ...side.map(({ of }) => of(drained))];
      },
    };
  });
  return { title: `${title}, ${SHARDS} shards`, probes };
}

/** What is told beside the rate. */
const SIDE_ROWS: readonly { readonly row: Row; readonly alone: boolean; readonly of: (drained: Drained) => number }[] =
  [
    { row: { name: '· in all', unit: 'ms' }, alone: true, of: ({ durationMs }) => durationMs },
    {
      row: { name: '· processors at work for them', unit: 'CPUs' },
      alone: true,
      of: ({ shares, durationMs }) => shares.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / durationMs,
    },
    ...(['launches', 'shards'] as const).flatMap((what) => [
      {
        row: { name: `· ${what} of one process, fewest`, unit: what },
        alone: false,
        of: ({ shares }: Drained) => Math.min(...shares.map((share) => share[what])),
      },
      {
        row: { name: `· ${what} of one process, most`, unit: what },
        alone: false,
        of: ({ shares }: Drained) => Math.max(...shares.map((share) => share[what])),
      },
    ]),
  ];

const NOTES = [
  'After every drain the processes and the records agreed: each launch was made and recorded once, none doubled, none lost.',
  `All processes and the server share ${cpus().length} processors here, so what computes cannot grow beyond them: the server ` +
    'needs some of them, too. What waits shows how it grows where each process has a processor of its own.',
];
