/**
 * Texts with `*` for any characters, or none. Linear in the text whatever the pattern: a pattern is somebody's, the event is
 * somebody else's, and no pair of them may hold up everybody's events. Pure.
 */

/** `\*` and `\\` are a star and a backslash. Undefined: another escape, or stars next to each other. */
export function wildcardParts(pattern: string): readonly string[] | undefined {
  const parts = [''];
  for (let i = 0; i < pattern.length; i++) {
    let char = pattern[i] as string;
    if (char === '*') {
      if (parts.length > 1 && parts.at(-1) === '') return undefined;
      parts.push('');
      continue;
    }
    if (char === '\\') {
      char = pattern[++i] ?? '';
      if (char !== '*' && char !== '\\') return undefined;
    }
    parts[parts.length - 1] += char;
  }
  return parts;
}

/** False for a pattern that is none. */
export function wildcardMatches(pattern: string, text: string): boolean {
  const parts = wildcardParts(pattern);
  if (parts === undefined) return false;
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  const untilLength = text.length - last.length;
  if (untilLength < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  // The earliest place for each part leaves most room for those behind it.
  let from = first.length;
  for (const part of others) {
    const at = indexOf(text, part, from, untilLength);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** Knuth, Morris and Pratt: `String.indexOf` may look at a character as often as the part is long. */
function indexOf(text: string, part: string, from: number, until: number): number {
  const borders = bordersOf(part);
  let matched = 0;
  for (let i = from; i < until; i++) {
    while (matched > 0 && part[matched] !== text[i]) matched = borders[matched - 1] as number;
    if (part[matched] === text[i]) matched++;
    if (matched === part.length) return i - matched + 1;
  }
  return part === '' ? from : -1;
}

/** Of each beginning of a text, the length of the longest shorter beginning that it ends with. */
function bordersOf(text: string): number[] {
  const borders = [0];
  let length = 0;
  for (let i = 1; i < text.length; i++) {
    while (length > 0 && text[length] !== text[i]) length = borders[length - 1] as number;
    if (text[length] === text[i]) length++;
    borders.push(length);
  }
  return borders;
}
