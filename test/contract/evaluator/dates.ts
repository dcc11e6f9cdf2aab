/** ctx.formatDate. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Bench } from './bench.ts';

const BERLIN = 'Europe/Berlin';
const at = (instant: unknown, options?: object): string =>
  `ctx.formatDate(${JSON.stringify(instant)}${options === undefined ? '' : `, ${JSON.stringify(options)}`})`;

export function dateTests(bench: Bench): void {
  describe('an instant may be', () => {
    test.each([
      ['a number', '1767323045678'],
      ['a Date', 'new Date(1767323045678)'],
      ['ISO text', '"2026-01-02T03:04:05.678Z"'],
      ['ISO text with an offset', '"2026-01-02T04:34:05.678+01:30"'],
    ])('%s', async (_what, instant) => {
      expect(await bench.value(`ctx.formatDate(${instant})`)).toBe('2026-01-02T03:04:05Z');
    });

    test('ISO text without a time, or without a zone: that is UTC, as all times inside', async () => {
      expect(await bench.value(at('2026-01-02'))).toBe('2026-01-02T00:00:00Z');
      expect(await bench.value(at('2026-01-02T03:04'))).toBe('2026-01-02T03:04:00Z');
    });
  });

  test.each([
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '2026-03-01T14:04:05.067+01:00'],
    ['d.M.yy H:m:s', '1.3.26 14:4:5'],
    ['EEEE, d MMMM y', 'Sunday, 1 March 2026'],
    ['EEE dd MMM yyyy', 'Sun 01 Mar 2026'],
    ['hh:mm a', '02:04 PM'],
    ['h a', '2 PM'],
    ['X XX XXX x xx xxx Z', '+01 +0100 +01:00 +01 +0100 +01:00 +0100'],
    ['zzz zzzz', 'GMT+1 Central European Standard Time'],
    ["h 'o''clock' ''a''", "2 o'clock 'PM'"],
    ["'yyyy'", 'yyyy'],
    ["''", "'"],
    ['', ''],
    ['[yyyy] – ü', '[2026] – ü'],
  ])('the pattern %s', async (format, text) => {
    const ms = Date.UTC(2026, 2, 1, 13, 4, 5, 67);
    expect(await bench.value(at(ms, { timeZone: BERLIN, format }))).toBe(text);
  });

  test.each([
    ['noon', '2026-01-01T12:00:00Z', 'hh a', '12 PM'],
    ['midnight', '2026-01-01T00:00:00Z', 'hh a HH', '12 AM 00'],
    ['UTC', '2026-01-01T00:00:00Z', 'X XXX x xxx Z zzz', 'Z Z +00 +00:00 +0000 UTC'],
    ['the year before 1', '+000000-06-01T00:00:00Z', 'y yyyy', '1 0001'],
    ['a year beyond 9999', '+012345-06-01T00:00:00Z', 'yyyy yy', '12345 45'],
  ])('%s', async (_what, instant, format, text) => {
    expect(await bench.value(at(instant, { format }))).toBe(text);
  });

  test.each([
    ['before summer', '2026-03-29T00:59:59.999Z', BERLIN, '2026-03-29T01:59:59+01:00'],
    ['in summer', '2026-03-29T01:00:00Z', BERLIN, '2026-03-29T03:00:00+02:00'],
    ['the hour before it comes twice', '2026-10-25T00:30:00Z', BERLIN, '2026-10-25T02:30:00+02:00'],
    ['the hour when it comes again', '2026-10-25T01:30:00Z', BERLIN, '2026-10-25T02:30:00+01:00'],
    ['half an hour of summer', '2026-01-01T00:00:00Z', 'Australia/Lord_Howe', '2026-01-01T11:00:00+11:00'],
    ['three quarters', '2026-01-01T00:00:00Z', 'Asia/Kathmandu', '2026-01-01T05:45:00+05:45'],
    ['the day that Samoa left out', '2011-12-30T10:00:00Z', 'Pacific/Apia', '2011-12-31T00:00:00+14:00'],
    ['sun time, with its seconds', '1890-01-01T00:00:00Z', BERLIN, '1890-01-01T00:53:28+00:53'],
    ['sun time in the west', '1800-01-01T00:00:00Z', 'America/New_York', '1799-12-31T19:03:58-04:56'],
    ['just before 1970', '1969-12-31T23:59:59.999Z', 'Asia/Tokyo', '1970-01-01T08:59:59+09:00'],
  ])('%s', async (_what, instant, timeZone, text) => {
    expect(await bench.value(at(instant, { timeZone }))).toBe(text);
  });

  test('any instant in any zone is what the host’s calendar says', async () => {
    const moment = fc.record({
      ms: fc.oneof(
        fc.integer({ min: Date.parse('0001-01-02T00:00:00Z'), max: Date.UTC(9999, 0, 1) }),
        fc.integer({ min: Date.UTC(1880, 0, 1), max: Date.UTC(2040, 0, 1) }),
      ),
      timeZone: fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 50, maxLength: 50 }), async (input) => {
        const source = `export default (ctx) => ctx.input.map(({ ms, timeZone }) =>
          ctx.formatDate(ms, { timeZone, format: "EEEE, MMMM d, y 'at' h:mm:ss a xxx" }))`;
        expect(await bench.value(source, { context: { input } })).toEqual(input.map(hostText));
      }),
      { numRuns: 20 },
    );
  });

  describe('is refused, with what was received and what is allowed:', () => {
    test.each([
      [
        'an unknown zone',
        'ctx.formatDate(0, { timeZone: "Mars/Olympus" })',
        /timeZone: received "Mars\/Olympus".*IANA/,
      ],
      ['a zone that is no text', 'ctx.formatDate(0, { timeZone: null })', /timeZone: received null/],
      ['a huge zone', 'ctx.formatDate(0, { timeZone: "x".repeat(1000) })', /timeZone: received "xxx/],
      ['an unknown token', 'ctx.formatDate(0, { format: "yyyy QQ" })', /format: received "QQ"; allowed: y yy yyyy M /],
      ['too long a token', 'ctx.formatDate(0, { format: "MMMMM" })', /format: received "MMMMM"/],
      ['an open quotation', 'ctx.formatDate(0, { format: "yyyy \'at" })', /format: received.*quotation marks in pairs/],
      ['no instant', 'ctx.formatDate()', /instant: received undefined; allowed: a Date/],
      ['a Date that is none', 'ctx.formatDate(new Date("x"))', /instant: received Invalid Date/],
      ['text that is no time', 'ctx.formatDate("tomorrow")', /instant: received "tomorrow".*ISO 8601/],
      ['a day that is none', 'ctx.formatDate("2026-13-01")', /instant: received "2026-13-01"/],
      ['a time beyond all time', 'ctx.formatDate(1e20)', /instant: received 100000000000000000000/],
      ['an object', 'ctx.formatDate({})', /instant: received \{\}/],
    ])('%s', async (_what, source, message) => {
      expect(await bench.error(source)).toMatchObject({ name: 'RangeError', message: expect.stringMatching(message) });
    });
  });
}

/** The same from the host: other options of Intl than those that the offset comes from. */
function hostText({ ms, timeZone }: { ms: number; timeZone: string }): string {
  const whole = new Intl.DateTimeFormat('en-US', { timeZone, dateStyle: 'full', timeStyle: 'medium' }).format(ms);
  const zoned = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(ms);
  const name = zoned.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const offset = name === 'GMT' ? '+00:00' : name.slice('GMT'.length, 'GMT+00:00'.length);
  return `${whole.replace(/[\u202f]/g, ' ')} ${offset}`;
}
