/** How fast one process drains what is due, with everything that a launch has; and a peer that empties its queue. */
import { type RateProbe, rateProbe } from './cost-rows.ts';
import type { DrainRequest } from './own/drain.ts';
import type { PeerDrainRequest } from './peers/bullmq/drain.ts';
import type { BullMqPeer } from './peers/bullmq/peer.ts';
import type { Fsync } from './peers/bullmq/redis.ts';
import { Stand } from './stand.ts';
import { interleave, type Report, type Section, type Suite, sizesOf } from './suite.ts';

const SIZES = [10_000, 50_000];
const QUICK_SIZES = [200];
const HISTORY_RUNS = 20;
/** Of the first size: making their history costs twenty times what is measured. */
const HISTORY_SHARE = 0.2;
const HISTORY_TASKS_MAX = 2_000;

/** Launches before the clock, so that what is measured is compiled; no more of them than are measured. */
const WARM = 10_000;

interface Own {
  readonly name: string;
  readonly launches: number;
  readonly sources: number;
  readonly history: number;
}

interface Theirs {
  readonly name: string;
  readonly fsync: Fsync;
  readonly concurrency: number;
  readonly isSandboxed: boolean;
}

const THEIRS: readonly Theirs[] = [
  { name: 'BullMQ, in process', fsync: 'everysec', concurrency: 200, isSandboxed: false },
  { name: 'BullMQ, sandbox threads', fsync: 'everysec', concurrency: 10, isSandboxed: true },
  { name: 'BullMQ, in process, fsync always', fsync: 'always', concurrency: 200, isSandboxed: false },
];

export const drainSuite: Suite = {
  name: 'drain',
  about: 'launches per second of one process that drains a backlog, on a real ZooKeeper',
  async run(options): Promise<Report> {
    const sizes = sizesOf(options, { full: SIZES, brief: SIZES.slice(0, 1), quick: QUICK_SIZES });
    await using stand = await Stand.make(options);
    const sections = sizes.map((launches, i) => sectionOf(stand, launches, i === 0 && !options.brief));
    options.tell('the server gets warm');
    const warm = Math.min(WARM, sizes[0] ?? 0);
    await stand.ask('drain', { launches: warm, warm, sources: 1, history: 0 });
    const results = await interleave(
      sections.flatMap(({ probes }) => probes),
      options,
    );
    return { suite: 'drain', peer: 'none', sections, results, notes: notesOf(stand) };
  },
};

function sectionOf(stand: Stand, launches: number, hasOthers: boolean): Section {
  const plain: Own = { name: 'Cronkeeper', launches, sources: 1, history: 0 };
  const aged = Math.min(HISTORY_TASKS_MAX, Math.ceil(launches * HISTORY_SHARE));
  const others: Own[] = [
    { ...plain, name: `· ${launches} different sources`, sources: launches },
    { ...plain, name: `· ${aged} with a full history`, launches: aged, history: HISTORY_RUNS },
  ];
  const own = [plain, ...(hasOthers ? others : [])].map((each) => ownProbe(stand, each));
  const { peer } = stand;
  const theirs = peer === undefined ? [] : THEIRS.map((each) => peerProbe(peer, each, launches));
  const [{ rate }] = own as [RateProbe];
  const what = `${launches.toLocaleString('en')} launches`;
  return {
    title: `${launches.toLocaleString('en')} no-op launches, all due`,
    probes: [...own, ...theirs],
    comparisons: theirs.map((probe) => ({ what, own: rate, peer: probe.rate })),
  };
}

const ownProbe = (stand: Stand, { name, ...drained }: Own): RateProbe =>
  rateProbe({ name, rate: 'launches/s', each: 'µs/launch', count: drained.launches }, () => {
    const request = { ...drained, warm: Math.min(WARM, drained.launches) };
    return stand.ask('drain', request satisfies Omit<DrainRequest, 'url' | 'serverPids'>);
  });

const peerProbe = (peer: BullMqPeer, { name, fsync, ...how }: Theirs, launches: number): RateProbe =>
  rateProbe({ name, rate: 'launches/s', each: 'µs/launch', count: launches }, () => {
    const request = { ...how, launches, warm: Math.min(WARM, launches) };
    return peer.ask('drain', fsync, request satisfies Omit<PeerDrainRequest, 'directory' | 'redisPort' | 'redisPid'>);
  });

const notesOf = ({ peer, about }: Stand): string[] => [
  about,
  'Timed: from the call of tick() to its report, in a process that has launched others before; each of its launches isolated, ' +
    'journaled before it starts, fenced and synced to disk. After every drain the records proved each slot once, and each task ' +
    'its next one.',
  ...(peer === undefined
    ? []
    : [
        `${peer.versions}. Timed: from resume() of a worker that has completed others before, until its queue is empty. Its jobs ` +
          'are removed when done and synced once a second unless said; in process they run a function of the program, in a ' +
          'sandbox a file of its in threads that keep their state.',
      ]),
];
