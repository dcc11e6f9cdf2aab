/**
 * What it costs per month on AWS, computed: `npm run -s cost` prints the table of docs/SCALING.md. Pure; every price and
 * every assumption is a constant here. List prices of us-east-1, USD, without taxes, discounts and support.
 */

/** Each with where it was read, and of when that is. Prices change: look them up before you decide. */
export const PRICES = {
  /** aws.amazon.com/lambda/pricing as quoted by cloudchipr.com, 2024, and by artillery 2.0.28. */
  lambdaArmGbSecond: 0.0000133334,
  /** aws.amazon.com/lambda/pricing, read 2026-09-20 by the API Evangelist. */
  lambdaMillionRequests: 0.2,
  /** Likewise. */
  lambdaFreeGbSeconds: 400_000,
  lambdaFreeRequests: 1_000_000,
  /** cloudburn.io, March 2026. */
  schedulerMillionInvocations: 1,
  schedulerFreeInvocations: 14_000_000,
  /** hivebook.wiki and factualminds.com, 2026. */
  logsIngestedGb: 0.5,
  logsStoredGbMonth: 0.03,
  /** signoz.io, February 2026. */
  customMetricMonth: 0.3,
  /** t4g.2xlarge is 196 USD a month (Vantage), and each size costs half of the next. */
  t4gSmallHour: 0.0168,
  /** factualminds.com, June 2026. */
  m7gLargeHour: 0.0816,
  /** Not found where it could be read; AWS's list price of years. */
  gp3GbMonth: 0.08,
  /** Likewise, both directions together. */
  betweenZonesGb: 0.02,
  /** zacfukuda.com, June 2026: per zone. */
  interfaceEndpointHour: 0.01,
  natGatewayHour: 0.045,
} as const;

/** What is not a price. Measured here where it says so; the rest is assumed. */
export const ASSUMED = {
  hoursPerMonth: 730,
  ticksPerMonth: 730 * 60,
  zones: 2,
  /** What a tick takes with nothing to do: connect, lease, look, give back, over a network. */
  idleTickS: 0.1,
  /** Of the engine and the sandbox: processors at work by launches per second, `npm run bench -- scale`, rounded up. */
  engineCpuMs: 0.3,
  /** Of the task's own code. */
  taskCpuMs: 1,
  /** Share of its processor that a lingering function may be busy, so that timers are met. */
  busyShare: 0.5,
  /** Memory with which Lambda gives one processor: AWS Lambda Developer Guide, "Configure function memory". */
  mbPerCpu: 1_769,
  /** A function that lingers: 55 s, and the beginning and the end. */
  lingeringS: 56,
  /** A record as it travels, with its latest runs: 935 to 2,598 bytes for a small task with a history of 20. */
  recordBytes: 2_000,
  /** Times that a record crosses zones: read, written and replicated to two followers, two of three in other zones. */
  crossings: 2 / 3 + 2 / 3 + 2,
  /** A line of the log for every run, as stored. */
  logLineBytes: 400,
  metrics: 12,
  diskGb: 20,
  nodes: 3,
} as const;

export interface Size {
  readonly name: string;
  readonly tasks: number;
  /** s */
  readonly every: number;
  readonly memoryMb: number;
  /** Whether ticks stay for the minute, for exact timers. */
  readonly lingers: boolean;
  readonly node: { readonly name: string; readonly hour: number };
}

const SMALL_NODE = { name: 't4g.small', hour: PRICES.t4gSmallHour };
const LARGE_NODE = { name: 'm7g.large', hour: PRICES.m7gLargeHour };

export const SIZES: readonly Size[] = [
  { name: '100 tasks, hourly', tasks: 100, every: 3_600, memoryMb: 512, lingers: false, node: SMALL_NODE },
  { name: '1,000 tasks, each minute', tasks: 1_000, every: 60, memoryMb: 512, lingers: true, node: SMALL_NODE },
  { name: '10,000 tasks, each 10 s', tasks: 10_000, every: 10, memoryMb: 1_769, lingers: true, node: LARGE_NODE },
];

export interface Cost {
  /** At a time. */
  readonly functions: number;
  readonly launches: number;
  readonly gbSeconds: number;
  /** USD per month, by what it is for. */
  readonly items: Readonly<Record<'lambda' | 'scheduler' | 'zookeeper' | 'zones' | 'watching' | 'runLogs', number>>;
  readonly total: number;
}

const GB = 1e9;
const MILLION = 1e6;
const beyond = (used: number, free: number): number => Math.max(0, used - free);

export function costOf(size: Size): Cost {
  const { hoursPerMonth, ticksPerMonth } = ASSUMED;
  const perSecond = size.tasks / size.every;
  const launches = (size.tasks * hoursPerMonth * 3_600) / size.every;
  const cpuS = (ASSUMED.engineCpuMs + ASSUMED.taskCpuMs) / 1_000;
  const cpus = size.memoryMb / ASSUMED.mbPerCpu;
  const functions = size.lingers ? Math.ceil((perSecond * cpuS) / (cpus * ASSUMED.busyShare)) : 1;
  const busyS = (launches * cpuS) / cpus;
  const seconds = size.lingers
    ? functions * ticksPerMonth * ASSUMED.lingeringS
    : ticksPerMonth * ASSUMED.idleTickS + busyS;
  const gbSeconds = (seconds * size.memoryMb) / 1_024;
  const invocations = functions * ticksPerMonth;
  const logGb = (launches * ASSUMED.logLineBytes) / GB;
  const items = {
    lambda:
      beyond(gbSeconds, PRICES.lambdaFreeGbSeconds) * PRICES.lambdaArmGbSecond +
      (beyond(invocations, PRICES.lambdaFreeRequests) / MILLION) * PRICES.lambdaMillionRequests,
    scheduler: (beyond(invocations, PRICES.schedulerFreeInvocations) / MILLION) * PRICES.schedulerMillionInvocations,
    zookeeper: ASSUMED.nodes * (size.node.hour * hoursPerMonth + ASSUMED.diskGb * PRICES.gp3GbMonth),
    zones: ((launches * ASSUMED.recordBytes * ASSUMED.crossings) / GB) * PRICES.betweenZonesGb,
    watching: ASSUMED.metrics * PRICES.customMetricMonth,
    runLogs: logGb * (PRICES.logsIngestedGb + PRICES.logsStoredGbMonth),
  };
  const total = Object.values(items).reduce((sum, item) => sum + item);
  return { functions, launches, gbSeconds, items, total };
}

/** For tasks that fetch from the internet: a gateway in each zone, without the bytes. */
export const natPerMonth = (): number => ASSUMED.zones * PRICES.natGatewayHour * ASSUMED.hoursPerMonth;
/** For each service of AWS that is called from the private network: Lambda for fan-out, SQS, SNS or EventBridge. */
export const endpointPerMonth = (): number => ASSUMED.zones * PRICES.interfaceEndpointHour * ASSUMED.hoursPerMonth;

const usd = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });
const count = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 });

export function costTable(): string {
  const costs = SIZES.map(costOf);
  const row = (name: string, text: (cost: Cost, size: Size) => string) =>
    `| ${name} | ${costs.map((cost, i) => text(cost, SIZES[i] as Size)).join(' | ')} |`;
  return [
    `| USD per month | ${SIZES.map(({ name }) => name).join(' | ')} |`,
    '|---|---|---|---|',
    row('launches', ({ launches }) => count(launches)),
    row('functions at a time, memory', ({ functions }, { memoryMb }) => `${functions} × ${count(memoryMb)} MB`),
    row('stays for exact timers', (_, { lingers }) => (lingers ? 'yes' : 'no: within the minute')),
    row('Lambda', ({ items }) => usd(items.lambda)),
    row('EventBridge Scheduler', ({ items }) => usd(items.scheduler)),
    row('ZooKeeper', ({ items }, { node }) => `${usd(items.zookeeper)} (${ASSUMED.nodes} × ${node.name})`),
    row('bytes between zones', ({ items }) => usd(items.zones)),
    row('metrics', ({ items }) => usd(items.watching)),
    row('a log line for every run', ({ items }) => usd(items.runLogs)),
    row('**in all**', ({ total }) => `**${usd(total)}**`),
    row('of a million launches', ({ total, launches }) => usd((total / launches) * MILLION)),
    '',
    `Where tasks fetch from the internet, gateways come on top: ${usd(natPerMonth())}, and 0.045 for every GB. ` +
      `For each service of AWS that is called (Lambda for fan-out, SQS, SNS, EventBridge): ${usd(endpointPerMonth())}.`,
  ].join('\n');
}

if (import.meta.main) process.stdout.write(`${costTable()}\n`);
