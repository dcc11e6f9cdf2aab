/**
 * Reports on their way from the worker to the main thread: a ring of bytes in shared memory, with one writer and one
 * reader. What lies in it survives the end of the worker, so a run that has to be ended by force takes no finished
 * report with it. It also costs less than a message for each.
 *
 * A record is its size and the lengths of its texts, six numbers, and the texts in UTF-8. Both cursors count bytes
 * ever written and read, modulo 2^32 (a multiple of the size of the ring); a record never wraps around its end.
 */
import { RUN_ERROR_CLASSES, type RunErrorClass } from '../launch.ts';
import type { Seq } from './board.ts';

export interface Report {
  readonly seq: Seq;
  /** Epoch ms with fractions. */
  readonly startedMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly hostCalls: number;
  /** Log lines or bytes were dropped. */
  readonly truncated: boolean;
  /** Absent: the run succeeded. */
  readonly failure?: RunErrorClass | undefined;
  /** JSON: the result, or the error's name, message and stack. */
  readonly body: string;
  /** JSON: the log lines; empty when there are none. */
  readonly logs: string;
  /** JSON: what the host answered, or `too-large`; empty when it was asked nothing. */
  readonly answers: string;
}

const FAILURES: readonly (RunErrorClass | undefined)[] = [undefined, ...RUN_ERROR_CLASSES];

/** Room for some thousand small reports. One that does not fit travels as a message. */
const RING_BYTES = 1024 * 1024;
const CURSOR_BYTES = 8;
const WRITTEN = 0;
const READ = 1;

/** Offsets in a record's head. `size` is 0 where the rest of the ring is skipped. */
const SIZE = 0;
const SEQ = 4;
const BODY_BYTES = 8;
const LOG_BYTES = 12;
const HOST_CALLS = 16;
const PEAK_BYTES = 20;
const ANSWER_BYTES = 24;
const FLAGS = 28;
const STARTED_MS = 32;
const WALL_MS = 40;
const CPU_MS = 48;
const HEAD_BYTES = 56;

const TRUNCATED = 0x100;
/** Records start at multiples of this, so a record's head always fits before the end of the ring. */
const ALIGNMENT = 64;
/** The most bytes of UTF-8 that one UTF-16 unit becomes. */
const UTF8_PER_UNIT = 3;

export class Outbox {
  readonly shared: SharedArrayBuffer;
  readonly #cursors: Int32Array;
  readonly #ring: Buffer;

  constructor(shared = new SharedArrayBuffer(CURSOR_BYTES + RING_BYTES)) {
    this.shared = shared;
    this.#cursors = new Int32Array(shared, 0, 2);
    this.#ring = Buffer.from(shared, CURSOR_BYTES);
  }

  /** Worker: puts a report in; false when there is no room for it now. */
  write(report: Report): boolean {
    const most =
      HEAD_BYTES + (report.body.length + report.logs.length + report.answers.length) * UTF8_PER_UNIT + ALIGNMENT;
    let written = Atomics.load(this.#cursors, WRITTEN);
    const used = (written - Atomics.load(this.#cursors, READ)) >>> 0;
    let at = (written >>> 0) % RING_BYTES;
    const skipped = at + most > RING_BYTES ? RING_BYTES - at : 0;
    if (used + skipped + most > RING_BYTES) return false;
    if (skipped > 0) {
      this.#ring.writeUInt32LE(0, at + SIZE);
      written = (written + skipped) | 0;
      at = 0;
    }
    const size = this.#encode(report, at);
    Atomics.store(this.#cursors, WRITTEN, (written + size) | 0);
    return true;
  }

  /** Main: takes out the next report that is whole. */
  take(): Report | undefined {
    for (;;) {
      const read = Atomics.load(this.#cursors, READ);
      if (read === Atomics.load(this.#cursors, WRITTEN)) return undefined;
      const at = (read >>> 0) % RING_BYTES;
      const size = this.#ring.readUInt32LE(at + SIZE);
      const report = size > 0 ? this.#decode(at) : undefined;
      Atomics.store(this.#cursors, READ, (read + (size || RING_BYTES - at)) | 0);
      if (report !== undefined) return report;
    }
  }

  #encode(report: Report, at: number): number {
    const ring = this.#ring;
    const bodyBytes = ring.write(report.body, at + HEAD_BYTES);
    const logBytes = report.logs === '' ? 0 : ring.write(report.logs, at + HEAD_BYTES + bodyBytes);
    const answersAt = at + HEAD_BYTES + bodyBytes + logBytes;
    const answerBytes = report.answers === '' ? 0 : ring.write(report.answers, answersAt);
    const size = Math.ceil((HEAD_BYTES + bodyBytes + logBytes + answerBytes) / ALIGNMENT) * ALIGNMENT;
    ring.writeUInt32LE(size, at + SIZE);
    ring.writeInt32LE(report.seq, at + SEQ);
    ring.writeUInt32LE(bodyBytes, at + BODY_BYTES);
    ring.writeUInt32LE(logBytes, at + LOG_BYTES);
    ring.writeUInt32LE(answerBytes, at + ANSWER_BYTES);
    ring.writeUInt32LE(report.hostCalls, at + HOST_CALLS);
    ring.writeUInt32LE(report.peakBytes, at + PEAK_BYTES);
    ring.writeUInt32LE(FAILURES.indexOf(report.failure) | (report.truncated ? TRUNCATED : 0), at + FLAGS);
    ring.writeDoubleLE(report.startedMs, at + STARTED_MS);
    ring.writeDoubleLE(report.wallMs, at + WALL_MS);
    ring.writeDoubleLE(report.cpuMs, at + CPU_MS);
    return size;
  }

  #decode(at: number): Report {
    const ring = this.#ring;
    const flags = ring.readUInt32LE(at + FLAGS);
    const body = at + HEAD_BYTES;
    const logs = body + ring.readUInt32LE(at + BODY_BYTES);
    const answers = logs + ring.readUInt32LE(at + LOG_BYTES);
    const end = answers + ring.readUInt32LE(at + ANSWER_BYTES);
    return {
      seq: ring.readInt32LE(at + SEQ),
      startedMs: ring.readDoubleLE(at + STARTED_MS),
      wallMs: ring.readDoubleLE(at + WALL_MS),
      cpuMs: ring.readDoubleLE(at + CPU_MS),
      peakBytes: ring.readUInt32LE(at + PEAK_BYTES),
      hostCalls: ring.readUInt32LE(at + HOST_CALLS),
      truncated: (flags & TRUNCATED) !== 0,
      failure: FAILURES[flags & 0xff],
      body: ring.toString('utf8', body, logs),
      // Most runs write no log and ask nothing.
      logs: logs === answers ? '' : ring.toString('utf8', logs, answers),
      answers: answers === end ? '' : ring.toString('utf8', answers, end),
    };
  }
}
