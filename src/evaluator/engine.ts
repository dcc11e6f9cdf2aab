/** The engine, ready for workers: compiled once, and shared by them. */
import { LIMITS } from '../evaluator.ts';
import { readEngine, readGuest } from './assets.ts';
import type { Guest } from './host.ts';
import { PAGE_BYTES, softMemory } from './soft-memory.ts';

export interface Engine {
  readonly module: WebAssembly.Module;
  readonly guest: Guest;
}

/** Its own maximum of memory is the most that any run can have, whatever its limits say. */
export async function loadEngine(): Promise<Engine> {
  const [bytes, guest] = await Promise.all([readEngine(), readGuest()]);
  return { module: await WebAssembly.compile(softMemory(bytes, LIMITS.memoryBytes.max / PAGE_BYTES)), guest };
}
