/** Random cron expressions, and moments at which clocks were changed. */
import fc from 'fast-check';

/** A failing property prints its own seed and path; with this one every run of the suite asks the same questions. */
export const PROPERTY_SEED = 20_260_308;

const number = (first: number, last: number) => fc.integer({ min: first, max: last }).map(String);

const range = (first: number, last: number) =>
  fc
    .tuple(fc.integer({ min: first, max: last }), fc.integer({ min: first, max: last }))
    .map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`);

const step = (last: number) => fc.integer({ min: 1, max: Math.max(2, last >> 1) });

function item(first: number, last: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: number(first, last) },
    { weight: 2, arbitrary: range(first, last) },
    { weight: 1, arbitrary: fc.tuple(range(first, last), step(last)).map(([values, every]) => `${values}/${every}`) },
    { weight: 1, arbitrary: step(last).map((every) => `*/${every}`) },
  );
}

/** One field: `*` as often as `wildWeight` is to 10. */
function field(first: number, last: number, wildWeight: number): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: wildWeight, arbitrary: fc.constant('*') },
    { weight: 8, arbitrary: item(first, last) },
    {
      weight: 2,
      arbitrary: fc.array(item(first, last), { minLength: 2, maxLength: 3 }).map((items) => items.join(',')),
    },
  );
}

const date = [field(1, 31, 20), field(1, 12, 30), field(0, 6, 20)] as const;

/** Five fields. Some never fire. */
export const fiveFields = fc.tuple(field(0, 59, 4), field(0, 23, 6), ...date).map((fields) => fields.join(' '));

/** Six fields, seconds first. */
export const sixFields = fc.tuple(field(0, 59, 2), fiveFields).map((fields) => fields.join(' '));

/** Five fields that like the hours at which clocks are changed, on most days. */
export const fiveFieldsByNight = fc
  .tuple(
    field(0, 59, 4),
    fc.oneof(
      fc.constantFrom('0', '1', '2', '3', '22', '23', '0,1', '1-3', '2,3', '22-23', '*', '*/2', '0-4/2'),
      field(0, 23, 4),
    ),
    field(1, 31, 60),
    field(1, 12, 90),
    field(0, 6, 60),
  )
  .map((fields) => fields.join(' '));

export interface ClockChange {
  readonly zone: string;
  /** A UTC day on which, or next to which, the change lies. */
  readonly day: string;
  readonly what: string;
}

/** Changes of every sort: half hours, two and three hours, at midnight, across midnight, a whole day, all hemispheres. */
export const CLOCK_CHANGES: readonly ClockChange[] = [
  { zone: 'America/New_York', day: '2026-03-08', what: '02:00 to 03:00' },
  { zone: 'America/New_York', day: '2026-11-01', what: '02:00 to 01:00' },
  { zone: 'Europe/Berlin', day: '2026-03-29', what: '02:00 to 03:00' },
  { zone: 'Europe/Berlin', day: '2026-10-25', what: '03:00 to 02:00' },
  { zone: 'Australia/Lord_Howe', day: '2026-04-04', what: '02:00 to 01:30' },
  { zone: 'Australia/Lord_Howe', day: '2026-10-03', what: '02:00 to 02:30' },
  { zone: 'America/Havana', day: '2025-03-09', what: '00:00 to 01:00' },
  { zone: 'America/Havana', day: '2025-11-02', what: '01:00 to 00:00' },
  { zone: 'Africa/Cairo', day: '2024-04-25', what: '00:00 to 01:00' },
  { zone: 'Africa/Cairo', day: '2024-10-31', what: '24:00 to 23:00' },
  { zone: 'America/Sao_Paulo', day: '2018-02-18', what: '24:00 to 23:00' },
  { zone: 'America/Nuuk', day: '2026-03-29', what: '23:00 to 24:00' },
  { zone: 'America/Nuuk', day: '2026-10-25', what: '24:00 to 23:00' },
  { zone: 'Asia/Pyongyang', day: '2015-08-14', what: '24:00 to 23:30' },
  { zone: 'Asia/Pyongyang', day: '2018-05-04', what: '23:30 to 24:00' },
  { zone: 'Antarctica/Troll', day: '2026-03-29', what: '01:00 to 03:00' },
  { zone: 'Antarctica/Troll', day: '2026-10-25', what: '03:00 to 01:00' },
  { zone: 'Antarctica/Casey', day: '2009-10-17', what: '02:00 to 05:00' },
  { zone: 'Antarctica/Casey', day: '2010-03-04', what: '02:00 to 23:00' },
  { zone: 'Africa/Casablanca', day: '2026-02-15', what: '03:00 to 02:00, for Ramadan' },
  { zone: 'Africa/Casablanca', day: '2026-03-22', what: '02:00 to 03:00, after Ramadan' },
  { zone: 'Pacific/Apia', day: '2011-12-30', what: 'a day left out' },
  { zone: 'Pacific/Apia', day: '2012-03-31', what: '04:00 to 03:00' },
];

export const clockChange = fc.constantFrom(...CLOCK_CHANGES);
