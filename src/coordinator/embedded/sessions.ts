/** The sessions of the embedded coordinator: who they belong to, and until when they live unless they are heard of again. */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SessionId } from './tree.ts';

/** A process, as far as another one can ask the system about it. */
export interface Home {
  /** Process numbers mean something only within it. */
  readonly host: string;
  readonly pid: number;
}

export interface Sessions {
  /** Numbers are never given twice. */
  add(timeoutMs: number, now: number, home: Home): SessionId;
  isKnown(id: SessionId): boolean;
  /** Those that have not been heard of for their time-out. */
  overdue(now: number): SessionId[];
  /** Those whose process has ended: nobody has to wait for their time-out. */
  orphaned(here: Home): SessionId[];
  /** When the next one becomes overdue unless it is heard of. */
  earliestDeadline(): number;
  /** Says that the session is alive. */
  renew(id: SessionId, now: number): void;
  /** After the clock was set back, no session may outlive its time-out by that. */
  shorten(now: number): void;
  remove(id: SessionId): void;
}

export function thisProcess(): Home {
  return { host: `${hostname()} ${processNamespace()}`, pid: process.pid };
}

/** Containers may share a file and a host name, and yet not see each other's processes. Empty where there are none. */
function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
