/** The bounds of what tasks fetch, all in one place. */

const KIB = 1024;
const MIB = 1024 * KIB;

export const FETCH_LIMITS = {
  /** From the call to the last byte: waiting for a place, look-ups and redirects included. Less if the run ends sooner. */
  totalMs: 10_000,
  redirects: 3,
  urlChars: 8 * KIB,
  requestHeaders: 64,
  /** Names and values together. */
  requestHeaderBytes: 16 * KIB,
  requestBodyBytes: 256 * KIB,
  responseHeaderBytes: 16 * KIB,
  statusTextChars: 256,
  /** As it comes, and once more when it is decompressed. */
  responseBodyBytes: MIB,
  /** Addresses of one host that are tried. */
  addresses: 16,
  /** Of one run at a time; its others wait. */
  perRun: 6,
  /** Of all runs at a time. Each may hold several times the body's bound for a moment. */
  perProcess: 32,
  /** Waiting for one of those places. */
  waiting: 256,
  /** Look-ups of one run, and of all, at a time: each takes one of the four threads that files and compression share. */
  lookupsPerRun: 1,
  lookups: 3,
} as const;
