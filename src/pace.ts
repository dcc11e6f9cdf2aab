/** How a tick paces itself, in ms. */
export const PACE = {
  /** How far ahead of now due pages are read while lingering. */
  scanAheadMs: 60_000,
  /** With so many timers, no more pages are read than are due; the rest, when there is room, is read in time. */
  timersMax: 20_000,
  scanAgainMs: 250,
  /**
   * The journal runs so far ahead of the timers, and is looked after so often: each time for few launches, since a start
   * that falls due meanwhile waits for as long as that takes.
   */
  prepareAheadMs: 500,
  prepareEveryMs: 100,
  /**
   * The sandbox has what is due next so much ahead, and waits for the moment by itself: neither a main thread that is busy
   * with commits nor the way to the worker makes a start late.
   */
  handOverAheadMs: 40,
  /** Several rings of the doorbell within this are one. */
  doorbellMs: 10,
  /** A run that takes longer than this after the linger is over makes the tick go on, by so much at a time. */
  idleSoonMs: 100,
  extensionMs: 1_000,
  /** Another share is worth taking while so much time is left. */
  shareMs: 1_000,
} as const;
