/** A tick with nothing due, a page and a put, beside more and more registered tasks; and what those weigh. */
import { memoryNow } from './costs.ts';
import { heapBytes } from './java.ts';
import type { Idle } from './own/idle.ts';
import { freshNamespace } from './recovery/stage.ts';
import { Stand } from './stand.ts';
import {
  type Absence,
  type Comparison,
  interleave,
  type Probe,
  type Report,
  type Row,
  type Section,
  type Suite,
  sizesOf,
} from './suite.ts';

const SIZES = { full: [10_000, 100_000, 1_000_000], brief: [10_000, 100_000], quick: [1_000] };
/** Of each, for a median. */
const TIMES = 100;
const QUICK_TIMES = 10;
/** A million tasks take 1.4 GB of heap (decision 24): more than a server has by default. */
const HEAP_MB = 4_000;
/** Tasks that one process registers: a million would take it longer than anyone waits for an answer. */
const SHARE = 100_000;

export const idleSuite: Suite = {
  name: 'idle',
  about: 'a tick with nothing due, a page and a put beside up to a million registered tasks; their memory',
  async run(options): Promise<Report> {
    await using stand = await Stand.make({ ...options, peer: undefined }, { heapMb: HEAP_MB });
    const sizes = [0, ...sizesOf(options, SIZES)];
    const times = options.quick ? QUICK_TIMES : TIMES;
    const registries: Registered[] = [];
    for (const size of sizes) {
      options.tell(`registering ${size.toLocaleString('en')} tasks`);
      registries.push(await registered(stand, size));
    }
    const idles = registries.map((registry) => idleProbe(stand, registry, times));
    const weights = registries.slice(1).map(weightProbe);
    const sections: Section[] = [
      { title: 'Medians, nothing due', probes: idles, comparisons: comparisonsOf(idles) },
      { title: 'Memory of the first server', probes: weights },
    ];
    const results = await interleave([...idles, ...weights], options);
    return { suite: 'idle', peer: 'none', sections, results, notes: [stand.about, ...NOTES] };
  },
};

interface Registered {
  readonly size: number;
  readonly namespace: string;
  readonly heapBytes: number | Absence;
  readonly rssBytes: number;
}

/** Each size in a namespace of its own, on one server; what it weighs is what the server has more of afterwards. */
async function registered(stand: Stand, size: number): Promise<Registered> {
  const [pid] = stand.servers.members.map((member) => member.pid) as [number];
  const namespace = freshNamespace();
  const before = await heapBytes(pid);
  for (let from = 0; from === 0 || from < size; from += SHARE) {
    await stand.ask('register', { namespace, from, count: Math.min(SHARE, size - from) });
  }
  const after = await heapBytes(pid);
  const weight = before === undefined || after === undefined ? 'needs jcmd' : after - before;
  return { size, namespace, heapBytes: weight, rssBytes: memoryNow([pid]).serverRss };
}

interface IdleProbe extends Probe {
  readonly rows: readonly [tick: Row, requests: Row, list: Row, put: Row];
}

function idleProbe(stand: Stand, { size, namespace }: Registered, times: number): IdleProbe {
  const tasks = `${size.toLocaleString('en')} tasks`;
  return {
    rows: [
      { name: `tick, ${tasks}`, unit: 'ms' },
      { name: '· of the server', unit: 'requests' },
      { name: `first page, ${tasks}`, unit: 'ms' },
      { name: `put, ${tasks}`, unit: 'ms' },
    ],
    async measure() {
      const { tickMs, tickRequests, listMs, putMs } = await stand.ask<Idle>('idle', { namespace, times });
      return [tickMs, tickRequests, listMs, putMs];
    },
  };
}

const comparisonsOf = ([none, ...others]: readonly IdleProbe[]): Comparison[] =>
  others.flatMap(({ rows }) =>
    [0, 3].map((i) => ({ what: 'as fast as with none', own: rows[i] as Row, peer: none?.rows[i] as Row })),
  );

/** The same in every round: it was registered once. */
const weightProbe = ({ size, heapBytes: heap, rssBytes }: Registered): Probe => ({
  rows: [
    { name: `heap per task, of ${size.toLocaleString('en')}`, unit: 'bytes/task' },
    { name: '· resident, all together', unit: 'MiB' },
  ],
  measure: async () => (typeof heap === 'string' ? heap : [heap / size, rssBytes / 2 ** 20]),
});

const NOTES = [
  'All sizes are registered on one server, each in a namespace of its own, before the first round. A tick takes the leases, looks, ' +
    'and gives them back: its session is among its requests, and so are pings.',
];
