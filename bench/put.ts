/** How fast tasks are stored: many by one call, one at a time, and many calls at a time; and a peer's jobs. */
import { type RateProbe, rateProbe } from './cost-rows.ts';
import type { Costs } from './costs.ts';
import { Stand } from './stand.ts';
import { interleave, type Report, type Section, type Suite, type SuiteOptions, sizesOf } from './suite.ts';

const SIZES = { full: [10_000, 50_000], brief: [10_000], quick: [500] };
/** Tasks stored before the clock, so that what is measured is compiled; no more of them than are measured. */
const WARM = 10_000;
/** Calls of one task each: how many of them, and how many are under way at a time. */
const SINGLES = [
  { inFlight: 1, tasks: 2_000 },
  { inFlight: 64, tasks: 10_000 },
];
const QUICK_SHARE = 50;

export const putSuite: Suite = {
  name: 'put',
  about: 'tasks stored per second, in bulk and by single calls',
  async run(options): Promise<Report> {
    await using stand = await Stand.make(options);
    const bulks = sizesOf(options, SIZES).map((tasks) => sectionOf(stand, tasks, 0));
    const sections = [...bulks, ...singlesOf(options).map(({ tasks, inFlight }) => sectionOf(stand, tasks, inFlight))];
    const results = await interleave(
      sections.flatMap(({ probes }) => probes),
      options,
    );
    return { suite: 'put', peer: 'none', sections, results, notes: notesOf(stand) };
  },
};

function singlesOf({ n, quick, brief = false }: SuiteOptions): readonly { inFlight: number; tasks: number }[] {
  if (brief) return [];
  const share = quick ? QUICK_SHARE : 1;
  return SINGLES.map(({ inFlight, tasks }) => ({ inFlight, tasks: Math.ceil((n ?? tasks) / share) }));
}

function sectionOf(stand: Stand, tasks: number, inFlight: number): Section {
  const count = tasks.toLocaleString('en');
  const what = inFlight === 0 ? `${count} tasks by one call` : `${count} calls of one task, ${inFlight} at a time`;
  const request = { tasks, inFlight, warm: Math.min(WARM, tasks), within: 'an hour' } as const;
  const probe = (name: string, measure: () => Promise<Costs>): RateProbe =>
    rateProbe({ name, rate: 'tasks/s', each: 'µs/task', count: tasks }, measure);
  const own = probe('Cronkeeper', () => stand.ask('put', request));
  const spread = probe('· each due in a minute of its own', () => stand.ask('put', { ...request, within: 'a month' }));
  const { peer } = stand;
  const theirs =
    peer === undefined
      ? []
      : [
          probe('BullMQ', () => peer.ask('put', 'everysec', request)),
          probe('BullMQ, fsync always', () => peer.ask('put', 'always', request)),
        ];
  return {
    title: what,
    probes: [own, ...(inFlight === 0 ? [spread] : []), ...theirs],
    comparisons: theirs.map(({ rate }) => ({ what, own: own.rate, peer: rate })),
  };
}

const notesOf = ({ peer, about }: Stand): string[] => [
  about,
  'Timed: from the call to its answer, in a process that has stored others before. Each task is of every hour, due at a moment ' +
    'of its own in it; it is checked, audited, and synced to disk before the answer; afterwards all are there.',
  ...(peer === undefined
    ? []
    : [`${peer.versions}. Delayed jobs; by addBulk in chunks of 1,000, one after another, where ours is one call.`]),
];
