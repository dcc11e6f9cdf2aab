import { simulate } from './simulate.ts';

const [a = '1', n = '20'] = process.argv.slice(2);
const t = Date.now();
let faults = 0,
  bad = 0;
for (let s = +a; s < +a + +n; s++) {
  const r = await simulate(s);
  faults += r.injected.length;
  if (r.violations.length) {
    bad++;
    console.log(
      s,
      JSON.stringify(r.rates),
      r.violations.slice(0, 3).map((v) => `${v.invariant} @${v.atMs} ${v.message}`),
    );
  }
  if (+n <= 5) console.log(s, r.injected.length, r.slots, r.launches, r.reruns, r.ticks, r.events, r.hash);
}
console.log({ bad, faults, ms: Date.now() - t });
