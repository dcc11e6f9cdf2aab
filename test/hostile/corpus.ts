/** All hostile cases, by class. They are our own: what an acceptance uses is not known here. */
import type { HostileCase } from './case.ts';
import { buffers } from './corpus/buffers.ts';
import { calls } from './corpus/calls.ts';
import { cancellation } from './corpus/cancellation.ts';
import { clocks } from './corpus/clocks.ts';
import { errors } from './corpus/errors.ts';
import { escapes } from './corpus/escapes.ts';
import { floods } from './corpus/floods.ts';
import { holes } from './corpus/holes.ts';
import { imports } from './corpus/imports.ts';
import { iterators } from './corpus/iterators.ts';
import { json } from './corpus/json.ts';
import { memory } from './corpus/memory.ts';
import { numbers } from './corpus/numbers.ts';
import { platform } from './corpus/platform.ts';
import { pollution } from './corpus/pollution.ts';
import { promises } from './corpus/promises.ts';
import { recursion } from './corpus/recursion.ts';
import { regexps } from './corpus/regexps.ts';
import { sources } from './corpus/sources.ts';
import { strings } from './corpus/strings.ts';
import { timers } from './corpus/timers.ts';
import { traps } from './corpus/traps.ts';

export const CORPUS: ReadonlyMap<string, readonly HostileCase[]> = new Map(
  Object.entries({
    escapes,
    imports,
    pollution,
    traps,
    errors,
    iterators,
    floods,
    timers,
    promises,
    regexps,
    strings,
    numbers,
    buffers,
    holes,
    json,
    recursion,
    sources,
    memory,
    clocks,
    platform,
    calls,
    cancellation,
  }),
);

export const ALL_CASES: readonly HostileCase[] = [...CORPUS.values()].flat();
