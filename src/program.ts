/** Source text becomes a {@link Program}: its kind is seen in it, its name is computed from it. */
import { createHash } from 'node:crypto';
import { type CodeKind, LIMITS, type Program } from './evaluator.ts';

/** Hex digits of a program's name: 128 bits, so nobody finds two sources with the same one. */
const HASH_DIGITS = 32;

/**
 * One token of JavaScript, as far as it matters here. A name does not swallow the blanks beyond ASCII, the byte order
 * mark among them. Regular expressions are told from divisions by what comes before, so they are matched apart.
 */
const TOKEN =
  /\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\\n\r]|\\[\s\S])*'?|"(?:[^"\\\n\r]|\\[\s\S])*"?|(?:[#\w$]|(?!\s)[\u0080-\uffff])+|\+\+|--|\s+|[\s\S]/y;
/** One that does not end takes its line with it: the source is wrong anyway, and trying again would cost its square. */
const REGEXP = /\/(?![*/])(?:(?:[^/\\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+\/\w*|[^\n\r]*)/y;
/** The text of a template up to its end, to the next `${`, or to the end of the source: one of these always comes. */
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]?|\$(?!\{))*(`|\$\{|$)/y;
/** After one of these an expression starts, so a slash opens a regular expression. */
const BEFORE_EXPRESSION =
  /^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|instanceof|await|yield|default|[^\w$)\]}'"`])$/;
/** What can follow `export` in an export declaration, and nowhere else. */
const AFTER_EXPORT = /^(?:default|const|let|var|function|class|async|\{|\*)$/;

/**
 * `module` when the source has an `export` declaration outside of comments and strings, else `script`. In a script,
 * `export` can only be the name of a property: after a dot, or before a colon, a parenthesis or an assignment.
 */
export function kindOf(source: string): CodeKind {
  if (!source.includes('export')) return 'script';
  let beforePrevious = '';
  let previous = '';
  for (const token of tokens(source)) {
    if (previous === 'export' && beforePrevious !== '.' && AFTER_EXPORT.test(token)) return 'module';
    [beforePrevious, previous] = [previous, token];
  }
  return 'script';
}

/** A source that no limit allows is not looked into: it is refused by its size, which must not take time either. */
export function programOf(source: string): Program {
  if (source.length > LIMITS.sourceBytes.max) return { hash: 'too-large', kind: 'script', source };
  const kind = kindOf(source);
  const hash = createHash('sha256').update(kind).update('\0').update(source).digest('hex').slice(0, HASH_DIGITS);
  return { hash, kind, source };
}

/** Sources that are known again; together they have at most so many characters. */
const KNOWN_MAX = 256;
const KNOWN_CHARS_MAX = 1024 * 1024;

/** {@link programOf}, for callers that come with the same sources again and again. */
export function rememberPrograms(): typeof programOf {
  const known = new Map<string, Program>();
  let chars = 0;
  return (source) => {
    if (source.length > KNOWN_CHARS_MAX) return programOf(source);
    const found = known.get(source);
    if (found !== undefined) return found;
    if (known.size >= KNOWN_MAX || chars + source.length > KNOWN_CHARS_MAX) {
      known.clear();
      chars = 0;
    }
    const program = programOf(source);
    known.set(source, program);
    chars += source.length;
    return program;
  };
}

/** The tokens of a source without blanks and comments; templates appear as a backquote, their expressions in full. */
function* tokens(source: string): Generator<string> {
  /** Open braces, innermost last; true for those that return to the text of a template. */
  const braces: boolean[] = [];
  let previous = '';
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < source.length) {
    const startsExpression = previous === '' || BEFORE_EXPRESSION.test(previous);
    const token = (startsExpression && match(REGEXP)?.[0]) || match(TOKEN)?.[0] || '';
    if (/^(?:\s|\/[/*])/.test(token)) continue;
    let resumesTemplate = token === '`';
    if (token === '{') braces.push(false);
    if (token === '}') resumesTemplate = braces.pop() === true;
    if (resumesTemplate && match(TEMPLATE_TEXT)?.[1] === '${') braces.push(true);
    previous = token.startsWith('/') && token.length > 1 ? ')' : token;
    if (resumesTemplate) previous = '`';
    yield previous;
  }
}
