import { describe, expect, test } from '@jest/globals';
import { previewSchedule } from '../../src/schedule.ts';

describe('what happens when clocks are changed', () => {
  interface Row {
    readonly cron: string;
    readonly timeZone: string;
    readonly from: string;
    readonly vixie: readonly string[];
    readonly skip: readonly string[];
  }

  test.each<Row>([
    {
      // The CLI's own example: New York, 8 March 2026, 02:00 to 03:00.
      cron: '30 2 * * *',
      timeZone: 'America/New_York',
      from: '2026-03-07T00:00Z',
      vixie: ['2026-03-07T07:30Z', '2026-03-08T07:00Z', '2026-03-09T06:30Z'],
      skip: ['2026-03-07T07:30Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z'],
    },
    {
      cron: '30 1-3 * * *',
      timeZone: 'America/New_York',
      from: '2026-03-08T05:00Z',
      vixie: ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-09T05:30Z'],
      skip: ['2026-03-08T06:30Z', '2026-03-08T07:30Z', '2026-03-09T05:30Z'],
    },
    {
      // Two missing times, and the first one after them, are one launch.
      cron: '0,30 2,3 * * *',
      timeZone: 'America/New_York',
      from: '2026-03-08T05:00Z',
      vixie: ['2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-09T06:00Z'],
      skip: ['2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-09T06:00Z'],
    },
    {
      cron: '*/30 * * * *',
      timeZone: 'America/New_York',
      from: '2026-03-08T06:00Z',
      vixie: ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z'],
      skip: ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z'],
    },
    {
      // 1 November 2026, 02:00 to 01:00.
      cron: '30 1 * * *',
      timeZone: 'America/New_York',
      from: '2026-11-01T00:00Z',
      vixie: ['2026-11-01T05:30Z', '2026-11-02T06:30Z'],
      skip: ['2026-11-01T05:30Z', '2026-11-02T06:30Z'],
    },
    {
      // Asked for during the second 01:xx: what was shown the first time is over.
      cron: '45 1 * * *',
      timeZone: 'America/New_York',
      from: '2026-11-01T06:10Z',
      vixie: ['2026-11-02T06:45Z'],
      skip: ['2026-11-02T06:45Z'],
    },
    {
      cron: '*/30 * * * *',
      timeZone: 'America/New_York',
      from: '2026-11-01T04:45Z',
      vixie: ['2026-11-01T05:00Z', '2026-11-01T05:30Z', '2026-11-01T06:00Z', '2026-11-01T06:30Z', '2026-11-01T07:00Z'],
      skip: ['2026-11-01T05:00Z', '2026-11-01T05:30Z', '2026-11-01T07:00Z', '2026-11-01T07:30Z'],
    },
    {
      cron: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      from: '2026-03-28T12:00Z',
      vixie: ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
      skip: ['2026-03-30T00:30Z', '2026-03-31T00:30Z'],
    },
    {
      // Half an hour: 02:00 to 02:30 on 4 October.
      cron: '15 2 * * *',
      timeZone: 'Australia/Lord_Howe',
      from: '2026-10-03T00:00Z',
      vixie: ['2026-10-03T15:30Z', '2026-10-04T15:15Z'],
      skip: ['2026-10-04T15:15Z', '2026-10-05T15:15Z'],
    },
    {
      // And back, 02:00 to 01:30 on 5 April: an hourly job waits 1.5 hours or 1, and 01:45 comes twice.
      cron: '*/45 1-2 * * *',
      timeZone: 'Australia/Lord_Howe',
      from: '2026-04-04T13:00Z',
      vixie: ['2026-04-04T14:00Z', '2026-04-04T14:45Z', '2026-04-04T15:15Z', '2026-04-04T15:30Z', '2026-04-04T16:15Z'],
      skip: ['2026-04-04T14:00Z', '2026-04-04T14:45Z', '2026-04-04T15:30Z', '2026-04-04T16:15Z'],
    },
    {
      // Midnight is missing: 00:00 to 01:00 on 9 March 2025.
      cron: '@daily',
      timeZone: 'America/Havana',
      from: '2025-03-08T12:00Z',
      vixie: ['2025-03-09T05:00Z', '2025-03-10T04:00Z'],
      skip: ['2025-03-10T04:00Z', '2025-03-11T04:00Z'],
    },
    {
      // Midnight comes twice: 01:00 to 00:00 on 2 November 2025.
      cron: '@daily',
      timeZone: 'America/Havana',
      from: '2025-11-01T12:00Z',
      vixie: ['2025-11-02T04:00Z', '2025-11-03T05:00Z'],
      skip: ['2025-11-02T04:00Z', '2025-11-03T05:00Z'],
    },
    {
      // The last hour of 28 March is missing: the job runs at the change, which is midnight.
      cron: '30 23 * * *',
      timeZone: 'America/Nuuk',
      from: '2026-03-28T12:00Z',
      vixie: ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
      skip: ['2026-03-30T00:30Z', '2026-03-31T00:30Z'],
    },
    {
      // 30 December 2011 is missing altogether. That is no daylight saving: its jobs go with it, under either rule.
      cron: '30 12 * * *',
      timeZone: 'Pacific/Apia',
      from: '2011-12-29T00:00Z',
      vixie: ['2011-12-29T22:30Z', '2011-12-30T22:30Z', '2011-12-31T22:30Z'],
      skip: ['2011-12-29T22:30Z', '2011-12-30T22:30Z', '2011-12-31T22:30Z'],
    },
    {
      cron: '0 0 30 12 *',
      timeZone: 'Pacific/Apia',
      from: '2011-06-01T00:00Z',
      vixie: ['2012-12-29T10:00Z'],
      skip: ['2012-12-29T10:00Z'],
    },
  ])('$cron in $timeZone from $from', ({ cron, timeZone, from, vixie, skip }) => {
    const iso = (instants: readonly string[]) => instants.map((instant) => new Date(instant).toISOString());
    const preview = (dst: 'vixie' | 'skip', count: number) => previewSchedule({ cron, timeZone, dst }, { from, count });
    expect(preview('vixie', vixie.length)).toEqual(iso(vixie));
    expect(preview('skip', skip.length)).toEqual(iso(skip));
  });
});
