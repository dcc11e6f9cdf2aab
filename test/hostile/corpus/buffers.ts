/** Memory at first hand: buffers that are huge, shrink while they are read, or belong to nobody. */
import { type HostileCase, REFUSED, STARVED, STOPPED } from '../case.ts';

export const buffers: readonly HostileCase[] = [
  {
    name: 'buffers of impossible sizes',
    forbids: 'take more than its memory',
    code: `const ends = []; for (const bytes of [2 ** 31, 2 ** 32, 2 ** 32 + 8, 2 ** 53 - 1, 2 ** 31 - 1, 1e9]) try { ends.push(new ArrayBuffer(bytes).byteLength) } catch (error) { ends.push(error.name) }
      return ends.every((end) => typeof end === 'string')`,
    ends: ['succeeded', 'Memory'],
    value: true,
  },
  {
    name: 'a resizable buffer of up to 1 GiB',
    forbids: 'take more than its memory, now or later',
    code: `const buffer = new ArrayBuffer(8, { maxByteLength: 2 ** 30 }); const bytes = new Uint8Array(buffer); for (let size = 2 ** 20; ; size *= 2) { buffer.resize(size); bytes.fill(7) }`,
    ends: REFUSED,
  },
  {
    name: 'a hundred buffers of up to 1 GiB, all small',
    forbids: 'take more than its memory',
    code: `const all = []; for (let i = 0; i < 100; i++) all.push(new ArrayBuffer(1, { maxByteLength: 2 ** 30 })); return all.length`,
    ends: ['succeeded', ...REFUSED],
  },
  {
    name: 'a shared buffer that grows',
    forbids: 'take more than its memory',
    code: `if (typeof SharedArrayBuffer === 'undefined') return 'none'; const shared = new SharedArrayBuffer(8, { maxByteLength: 2 ** 30 }); for (let size = 2 ** 20; ; size *= 2) { shared.grow(size); new Uint8Array(shared).fill(7) }`,
    ends: [...REFUSED, 'succeeded'],
  },
  {
    name: 'buffers without end',
    forbids: 'take more than its memory',
    code: `const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1))`,
    ends: REFUSED,
  },
  {
    name: 'buffers without end, each dropped',
    forbids: 'outlive its time',
    code: `for (;;) new Float64Array(1e6).fill(1.5)`,
    ends: STARVED,
  },
  {
    name: 'memory that was not written',
    forbids: 'read what another run left',
    code: `const grown = new ArrayBuffer(8, { maxByteLength: 5e5 }); grown.resize(5e5); const moved = new ArrayBuffer(8).transfer(5e5);
      return [new ArrayBuffer(1e6), grown, moved, new ArrayBuffer(100).transfer(200)].some((buffer) => new Uint8Array(buffer).some((byte) => byte !== 0))`,
    ends: ['succeeded'],
    value: false,
  },
  {
    name: 'buffers that shrink while they are read',
    forbids: 'read or write outside of a buffer',
    code: `const acts = { fill: (b, hook) => b.fill(hook), set: (b, hook) => b.set([hook, 1, 2], 0), copyWithin: (b, hook) => b.copyWithin(hook, 1), slice: (b, hook) => b.slice(hook), subarray: (b, hook) => b.subarray(hook),
        at: (b, hook) => b.at(hook), with: (b, hook) => b.with(hook, 1), indexOf: (b, hook) => b.indexOf(0, hook), includes: (b, hook) => b.includes(undefined, hook), join: (b, hook) => b.join(hook),
        sort: (b, hook) => b.sort(() => +hook), map: (b, hook) => b.map(() => +hook), every: (b, hook) => b.every(() => (+hook, true)), reduce: (b, hook) => b.reduce(() => +hook, 0), view: (b, hook) => new DataView(b.buffer).setFloat64(hook, 1.5),
        atomic: (b, hook) => Atomics.store(b, hook, 1), toSorted: (b, hook) => b.toSorted(() => +hook), lastIndexOf: (b, hook) => b.lastIndexOf(0, hook), construct: (b, hook) => new Uint8Array(b.buffer, hook, 5), from: (b, hook) => Uint8Array.from(b, () => +hook) };
      let ran = 0; for (const take of [(buffer) => buffer.resize(0), (buffer) => buffer.resize(3), (buffer) => buffer.transfer(), (buffer) => { buffer.resize(1 << 20); buffer.resize(1) }])
        for (const act of Object.values(acts)) {
          const buffer = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 20 }); const bytes = new Uint8Array(buffer);
          const hook = { valueOf() { try { take(buffer) } catch {} return 1 }, toString() { try { take(buffer) } catch {} return ',' } };
          try { act(bytes, hook) } catch {} ran++
        }
      return ran`,
    ends: ['succeeded', 'Memory', 'Timeout'],
    value: 80,
  },
  {
    name: 'views that outgrow their buffer',
    forbids: 'read or write outside of a buffer',
    code: `const buffer = new ArrayBuffer(64, { maxByteLength: 1 << 16 }); const fixed = new Float64Array(buffer, 8, 4); const tracking = new Uint32Array(buffer, 16); const view = new DataView(buffer, 32);
      buffer.resize(12); const seen = [fixed.length, tracking.length, fixed[0], tracking[5]]; fixed[3] = 1; tracking[100] = 1; try { view.setInt32(0, 1) } catch (error) { seen.push(error.name) } buffer.resize(1 << 16); seen.push(fixed.length, tracking.length); return seen.length`,
    ends: ['succeeded'],
    value: 7,
  },
  {
    name: 'offsets that overflow',
    forbids: 'read or write outside of a buffer',
    code: `const bytes = new Uint8Array(16); const view = new DataView(bytes.buffer); const ends = [];
      for (const at of [2 ** 53 - 1, 2 ** 32, 2 ** 32 - 4, 2 ** 31, -1, 15.9, 13]) for (const act of [() => view.getFloat64(at), () => view.setBigInt64(at, 1n), () => new Uint32Array(bytes.buffer, at), () => bytes.set([1, 2, 3, 4], at), () => bytes.copyWithin(at, 0), () => new Uint8Array(bytes.buffer, 8, at)]) try { act(); ends.push('ok') } catch (error) { ends.push(error.name) }
      return ends.length`,
    ends: ['succeeded'],
    value: 42,
  },
  {
    name: 'a fill that takes for ever',
    forbids: 'outlive its time in a built-in function',
    code: `const bytes = new Uint8Array(4e7); for (;;) bytes.fill(1).reverse().sort()`,
    ends: STARVED,
  },
  {
    name: 'a typed array of 2^40 from a list',
    forbids: 'take more than its memory',
    code: `return Uint8Array.from({ length: 2 ** 40 }).length`,
    ends: REFUSED,
  },
  {
    name: 'typed arrays of each other, overlapping',
    forbids: 'read or write outside of a buffer',
    code: `const buffer = new ArrayBuffer(800); const wide = new Float64Array(buffer); const narrow = new Uint8Array(buffer, 3); for (let i = 0; i < 1000; i++) { narrow.set(wide, i % 600); wide.set(narrow.subarray(0, 90), i % 10); narrow.copyWithin(i % 700, 5, 90) } return narrow.length`,
    ends: ['succeeded'],
    value: 797,
  },
  {
    name: 'a wait on shared memory',
    forbids: 'put the thread to sleep beyond its time',
    code: `if (typeof Atomics === 'undefined') return 'none'; return Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 60000)`,
    ends: ['succeeded', 'Thrown', 'Timeout'],
  },
  {
    name: 'a wait on shared memory without blocking',
    forbids: 'be waited for',
    code: `if (typeof Atomics?.waitAsync !== 'function') return 'none'; await Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(8)), 0, 0, 60000).value; return 'woke'`,
    ends: ['succeeded', 'Thrown', 'Timeout', 'Stalled'],
  },
  {
    name: 'compiled code',
    forbids: 'bring machine code along',
    code: `return [typeof WebAssembly, typeof globalThis.Atomics?.pause === 'function' ? 'pause' : 'none'][0]`,
    ends: ['succeeded'],
    value: 'undefined',
  },
  {
    name: 'a result that is a typed array',
    forbids: 'come out as anything but JSON',
    code: `return { bytes: new Uint8Array([1, 2, 3]), view: new DataView(new ArrayBuffer(2)), buffer: new ArrayBuffer(2) }`,
    ends: ['succeeded'],
    value: { bytes: { 0: 1, 1: 2, 2: 3 }, view: {}, buffer: {} },
  },
  {
    name: 'a result that is a huge typed array',
    forbids: 'fill the memory of the host',
    code: `return new Uint8Array(3e6)`,
    ends: ['ResultTooLarge', ...STARVED],
  },
  {
    name: 'a sort of numbers that never ends',
    forbids: 'outlive its time',
    code: `const numbers = new Float64Array(1e6).map(() => Math.random()); for (;;) numbers.sort(() => Math.random() - 0.5)`,
    ends: STOPPED,
  },
];
