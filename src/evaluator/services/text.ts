/** Encodings: those that need no memory from one character to the next. Bytes are base64 on both ways. */

const SUPPORTED =
  /^(?:utf-8|utf-16[bl]e|ibm866|iso-8859-\d+(?:-i)?|koi8-[ru]|macintosh|windows-(?:874|125\d)|x-mac-cyrillic)$/;
const LABEL_CHARS = 64;

const QUESTION = /^(?<encoding>\S+) (?<mode>[fr])(?<more>[+.])(?<base64>[A-Za-z0-9+/=]*)$/;

/** The most bytes that begin a character and do not finish it. */
const UNFINISHED_BYTES = 3;

/** UTF-8, with replacements for half surrogate pairs. */
export const encode = (text: string): string => Buffer.from(text).toString('base64');

/** The name of the encoding that a label stands for; empty if it is none, or not supported. */
export function encodingOf(label: string): string {
  if (label.length > LABEL_CHARS) return '';
  try {
    const { encoding } = new TextDecoder(label);
    return SUPPORTED.test(encoding) ? encoding : '';
  } catch {
    return '';
  }
}

/**
 * `<encoding> <f|r><.|+><bytes>`: `f` fails for bytes that mean nothing, `r` replaces them; with `+`, more bytes will
 * follow. The answer is how many bytes at the end belong to what follows, a digit, and the text; or `E` for a failure.
 */
export function decode(question: string): string | undefined {
  const { encoding = '', mode, more, base64 = '' } = QUESTION.exec(question)?.groups ?? {};
  if (!SUPPORTED.test(encoding)) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  const kept = more === '+' ? unfinishedBytes(encoding, bytes) : 0;
  try {
    const decoder = new TextDecoder(encoding, { fatal: mode === 'f', ignoreBOM: true });
    return kept + decoder.decode(bytes.subarray(0, bytes.length - kept));
  } catch {
    return 'E';
  }
}

/** How many bytes at the end are the beginning of a character. */
function unfinishedBytes(encoding: string, bytes: Buffer): number {
  if (!encoding.startsWith('utf-')) return 0;
  for (let count = Math.min(UNFINISHED_BYTES, bytes.length); count > 0; count--) {
    // Units of UTF-16 lie at even places.
    if (encoding !== 'utf-8' && (bytes.length - count) % 2 !== 0) continue;
    if (isUnfinished(encoding, bytes.subarray(bytes.length - count))) return count;
  }
  return 0;
}

/** A decoder that may wait for more neither fails at it nor makes anything of it. */
function isUnfinished(encoding: string, bytes: Buffer): boolean {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true }) === '';
  } catch {
    return false;
  }
}
