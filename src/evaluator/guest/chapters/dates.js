// `ctx.formatDate`: an instant as text in any time zone. The engine knows no zones; the host says how far they are off.
({ ask, parse, stringify, replace, test, slice, ownKeys, join, refuse }) => {
  const DEFAULT_FORMAT = "yyyy-MM-dd'T'HH:mm:ssXXX";
  const ISO = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
  /** Quoted text, in which '' is a quotation mark; a token; a quotation mark that is never closed. */
  const PIECE = /'((?:[^']|'')*)'|([A-Za-z])\2*|'/g;
  const MINUTE_MS = 60_000;
  const MONTHS = [
    ...['January', 'February', 'March', 'April', 'May', 'June'],
    ...['July', 'August', 'September', 'October', 'November', 'December'],
  ];
  const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

  const pad = (number, width = 2) => `${number}`.padStart(width, '0');

  /** How far a zone is ahead of UTC at an instant, and, in a style, what it is called. */
  const zoneAt = (ms, timeZone, style) => {
    const answer = ask(`Z[${ms},${stringify(`${timeZone}`)}${style === undefined ? '' : `,"${style}"`}]`);
    if (answer !== '') return parse(answer);
    throw new RangeError(refuse('timeZone', timeZone, 'a name of the IANA database, such as "Europe/Berlin"'));
  };

  /** An offset in hours and minutes, as in ISO 8601. */
  const offset = ({ offsetMs }, separator, isBrief = false) => {
    const minutes = Math.trunc(Math.abs(offsetMs) / MINUTE_MS);
    const rest = isBrief && minutes % 60 === 0 ? '' : separator + pad(minutes % 60);
    return (offsetMs < 0 ? '-' : '+') + pad(Math.trunc(minutes / 60)) + rest;
  };
  const offsetOrZ = (time, separator, isBrief) => (time.offsetMs === 0 ? 'Z' : offset(time, separator, isBrief));

  /** By the tokens of CLDR. `local` says in UTC what the zone's clocks show. */
  const TOKENS = {
    __proto__: null,
    y: ({ year }) => `${year}`,
    yy: ({ year }) => pad(year % 100),
    yyyy: ({ year }) => pad(year, 4),
    M: ({ local }) => `${local.getUTCMonth() + 1}`,
    MM: ({ local }) => pad(local.getUTCMonth() + 1),
    MMM: ({ local }) => slice(MONTHS[local.getUTCMonth()], 0, 3),
    MMMM: ({ local }) => MONTHS[local.getUTCMonth()],
    d: ({ local }) => `${local.getUTCDate()}`,
    dd: ({ local }) => pad(local.getUTCDate()),
    EEE: ({ local }) => slice(DAYS[local.getUTCDay()], 0, 3),
    EEEE: ({ local }) => DAYS[local.getUTCDay()],
    a: ({ local }) => (local.getUTCHours() < 12 ? 'AM' : 'PM'),
    H: ({ local }) => `${local.getUTCHours()}`,
    HH: ({ local }) => pad(local.getUTCHours()),
    h: ({ local }) => `${local.getUTCHours() % 12 || 12}`,
    hh: ({ local }) => pad(local.getUTCHours() % 12 || 12),
    m: ({ local }) => `${local.getUTCMinutes()}`,
    mm: ({ local }) => pad(local.getUTCMinutes()),
    s: ({ local }) => `${local.getUTCSeconds()}`,
    ss: ({ local }) => pad(local.getUTCSeconds()),
    SSS: ({ local }) => pad(local.getUTCMilliseconds(), 3),
    X: (time) => offsetOrZ(time, '', true),
    XX: (time) => offsetOrZ(time, ''),
    XXX: (time) => offsetOrZ(time, ':'),
    x: (time) => offset(time, '', true),
    xx: (time) => offset(time, ''),
    xxx: (time) => offset(time, ':'),
    Z: (time) => offset(time, ''),
    zzz: ({ ms, timeZone }) => zoneAt(ms, timeZone, 'short').name,
    zzzz: ({ ms, timeZone }) => zoneAt(ms, timeZone, 'long').name,
  };

  const msOf = (instant) => {
    const isText = typeof instant === 'string' && test(ISO, instant);
    const isTime = isText || typeof instant === 'number' || instant instanceof Date;
    const ms = isTime ? +new Date(instant) : Number.NaN;
    if (Number.isNaN(ms)) throw new RangeError(refuse('instant', instant, 'a Date, ms since 1970, ISO 8601'));
    return ms;
  };

  const writeToken = (token, time) => {
    const write = TOKENS[token];
    if (write !== undefined) return write(time);
    const allowed = `${join(ownKeys(TOKENS), ' ')}, and other letters in single quotation marks`;
    throw new RangeError(refuse('format', token, allowed));
  };

  const formatDate = (instant, { timeZone = 'UTC', format = DEFAULT_FORMAT } = {}) => {
    const ms = msOf(instant);
    const { offsetMs } = timeZone === 'UTC' ? { offsetMs: 0 } : zoneAt(ms, timeZone);
    const local = new Date(ms + offsetMs);
    const signedYear = local.getUTCFullYear();
    // Before the year 1 of our era came the year 1 before it.
    const time = { ms, timeZone, offsetMs, local, year: signedYear > 0 ? signedYear : 1 - signedYear };
    return replace(`${format}`, PIECE, (piece, quoted) => {
      if (piece === "'") throw new RangeError(refuse('format', format, 'quotation marks in pairs'));
      if (quoted === undefined) return writeToken(piece, time);
      return quoted === '' ? "'" : replace(quoted, /''/g, "'");
    });
  };

  return { formatDate };
};
