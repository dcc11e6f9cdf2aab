/** Time, places and chance: what a task could learn of the machine, or spoil for the next one. */
import { type HostileCase, STARVED, STOPPED } from '../case.ts';

export const clocks: readonly HostileCase[] = [
  {
    name: 'a loop until the clock says so',
    forbids: 'outlive its time because its clock stands still',
    code: `const until = Date.now() + 1e6; while (Date.now() < until); return 'late'`,
    ends: STOPPED,
  },
  {
    name: 'the place of the host',
    forbids: 'learn the time zone of the host',
    code: `const date = new Date(Date.UTC(2026, 6, 1)); return [date.getTimezoneOffset(), date.getHours(), new Date(2026, 0, 1).getTime() === Date.UTC(2026, 0, 1)]`,
    ends: ['succeeded'],
    value: [0, 0, true],
  },
  {
    name: 'clocks that look at the machine',
    forbids: 'learn since when the machine or the process runs',
    code: `const origin = globalThis.performance?.timeOrigin ?? 0; const now = globalThis.performance?.now?.() ?? 0; return [origin === 0 || origin > 1.5e12, now < 1000]`,
    ends: ['succeeded'],
    value: [true, true],
  },
  {
    name: 'locales',
    forbids: 'crash on what the engine does not have',
    code: `const ends = []; for (const act of [() => new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin' }), () => new Date(0).toLocaleString('de', { timeZone: '../../etc/passwd' }), () => (1e21).toLocaleString('x'.repeat(1e6)), () => 'a'.localeCompare('b', '-'.repeat(1e5)), () => 'i'.toLocaleUpperCase('tr'), () => [1].toLocaleString(new Proxy({}, {}))]) try { ends.push(typeof act()) } catch (error) { ends.push(error.name) } return ends.length`,
    ends: ['succeeded', 'Memory'],
    value: 6,
  },
  {
    name: 'dates that are none',
    forbids: 'break the arithmetic of dates',
    code: `const ends = []; for (const ms of [NaN, Infinity, 8.64e15, 8.64e15 + 1, -8.64e15, 1e308, -0]) { const date = new Date(ms); for (const act of [() => date.toISOString(), () => date.toString(), () => date.setFullYear(275760, 8, 13), () => date.setMonth(1e308), () => Date.UTC(ms, ms, ms), () => date.toJSON()]) try { ends.push(typeof act()) } catch (error) { ends.push(error.name) } } return ends.length`,
    ends: ['succeeded'],
    value: 42,
  },
  {
    name: 'dates from hostile texts',
    forbids: 'read outside of a text, or outlive its time',
    code: `let n = 0; for (const text of ['('.repeat(1e5), '2026-01-01T' + '0'.repeat(1e5), '1'.repeat(1e6), 'Jan'.repeat(1e4), '+275760-09-13T00:00:00.000Z\\0', '\\ud800', '2026-13-99', ' '.repeat(1e6) + '2026']) n += Number.isNaN(Date.parse(text)) ? 0 : 1; return n < 9`,
    ends: ['succeeded', ...STARVED],
    value: true,
  },
  {
    name: 'a clock of its own',
    forbids: 'change the clock of the next run',
    code: `globalThis.Date = class { static now() { return 0 } }; ctx.now = () => 0; globalThis.performance = { now: () => -1 }; return [Date.now(), ctx.now()]`,
    ends: ['succeeded'],
    value: [0, 0],
  },
  {
    name: 'chance of its own',
    forbids: 'change the chance of the next run',
    code: `const numbers = new Set(); for (let i = 0; i < 1e4; i++) numbers.add(Math.random()); Math.random = () => 4; return numbers.size > 9000`,
    ends: ['succeeded'],
    value: true,
  },
  {
    name: 'a date that is converted by the task',
    forbids: 'break the guest',
    code: `Object.defineProperty(Date.prototype, Symbol.toPrimitive, { value: () => ({}) }); Date.prototype.toISOString = () => { throw new Error('iso') }; Date.now = () => 'x'; ctx.log(new Date(0)); return { when: ctx.now() > 0 }`,
    ends: ['succeeded'],
  },
  {
    name: 'an exact clock by counting',
    forbids: 'see time pass while it computes, finer than a microsecond',
    code: `const seen = new Set(); for (let i = 0; i < 1e4; i++) seen.add(Date.now()); return seen.size < 200`,
    ends: ['succeeded'],
    value: true,
  },
];
