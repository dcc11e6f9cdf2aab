// How objects look in logs: as in Node, but on one line, and a little deeper.
({
  uncurry,
  getterOf,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  ownKeys,
  isArray,
  stringify,
  charCodeAt,
  indexOf,
  replace,
  split,
  test,
  push,
  join,
  CUSTOM,
  isObject,
  show,
}) => {
  const DEPTH = 4;
  const ITEMS = 100;
  /** Values in values: after so many, the rest is left out. */
  const PIECES = 5000;

  const ESCAPES = { __proto__: null, '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
  const QUOTES = ["'", '"', '`'];

  const sizeOf = { Map: getterOf(Map.prototype, 'size'), Set: getterOf(Set.prototype, 'size') };
  const typedArrayName = getterOf(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
  const isEnumerable = uncurry(Object.prototype.propertyIsEnumerable);
  const tagOf = uncurry(Object.prototype.toString);

  const escapeOf = (char) => {
    const code = charCodeAt(char, 0);
    const hex = code.toString(16);
    return ESCAPES[char] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0').toUpperCase()}` : `\\u${hex}`);
  };

  const quote = (text) => {
    const mark = QUOTES.find((each) => indexOf(text, each) < 0) ?? "'";
    const escaped = replace(text, /[\p{Cc}\p{Cs}\\]/gu, escapeOf);
    return mark + (indexOf(escaped, mark) < 0 ? escaped : replace(escaped, /'/g, "\\'")) + mark;
  };

  /** The name of the class that an object is of; undefined when it has none. */
  const classOf = (object) => {
    for (let at = object; at !== null; at = getPrototypeOf(at)) {
      const type = getOwnPropertyDescriptor(at, 'constructor')?.value;
      if (typeof type === 'function' && type.name !== '') return `${type.name}`;
    }
    return undefined;
  };

  const labelOf = (fn) => {
    const isClass = getOwnPropertyDescriptor(fn, 'prototype')?.writable === false;
    const name = fn.name === '' ? ' (anonymous)' : `${isClass ? ' ' : ': '}${fn.name}`;
    if (!isClass) return `[${classOf(fn) ?? 'Function'}${name}]`;
    const base = getPrototypeOf(fn)?.name;
    return `[class${name}${base ? ` extends ${base}` : ''}]`;
  };

  /** The lines of an error's stack that are of the task, as they follow its message. */
  const stackOf = (error) => {
    let text = '';
    for (const line of split(`${error.stack ?? ''}`, '\n')) {
      if (test(/\btask\.js:\d/, line)) text += `\n    ${line.trim()}`;
    }
    return text;
  };

  const headOfError = (error) => {
    const name = error.name === 'Error' ? (classOf(error) ?? 'Error') : `${error.name}`;
    return `${name}${error.message === '' ? '' : `: ${error.message}`}${stackOf(error)}`;
  };

  /** The first items of a list, and its holes. */
  const itemsOf = (list, inner) => {
    const items = [];
    let holes = 0;
    const count = () => {
      if (holes > 0) push(items, `<${holes} empty item${holes > 1 ? 's' : ''}>`);
      holes = 0;
    };
    for (let i = 0; i < list.length && i < ITEMS; i++) {
      if (!(i in list)) {
        holes++;
        continue;
      }
      count();
      push(items, inner(list[i]));
    }
    count();
    return items;
  };

  /** The first items of a Map or a Set. */
  const membersOf = (collection, inner) => {
    const items = [];
    collection.forEach((value, key) => {
      if (items.length >= ITEMS) return;
      push(items, collection instanceof Map ? `${inner(key)} => ${inner(value)}` : inner(value));
    });
    return items;
  };

  const collection = (name, braces, size, items) => {
    const more = size - ITEMS;
    if (more > 0) push(items, `... ${more} more item${more > 1 ? 's' : ''}`);
    const prefix = name === 'Array' ? '' : `${name}(${size}) `;
    return { open: `${prefix}${braces[0]}`, close: braces[1], items };
  };

  /** What an object is apart from its properties: a text, or a list in braces. */
  const bodyOf = (object, name, inner) => {
    if (typeof object === 'function') return { text: labelOf(object) };
    if (isArray(object) || typedArrayName(object) !== undefined) {
      return collection(name, '[]', object.length, itemsOf(object, inner));
    }
    if (Error.isError(object)) return { text: headOfError(object) };
    if (object instanceof Map) return collection(name, '{}', sizeOf.Map(object), membersOf(object, inner));
    if (object instanceof Set) return collection(name, '{}', sizeOf.Set(object), membersOf(object, inner));
    if (object instanceof RegExp) return { text: `${object}` };
    if (object instanceof Date) return { text: Number.isNaN(+object) ? 'Invalid Date' : object.toISOString() };
    if (object instanceof ArrayBuffer) {
      return { open: `${name} {`, close: '}', items: [`byteLength: ${object.byteLength}`] };
    }
    const tag = tagOf(object).slice('[object '.length, -1);
    if (test(/^(?:Boolean|Number|String)$/, tag)) return { text: `[${tag}: ${inner(object.valueOf())}]` };
    const kind = tag === 'Object' || tag === name ? '' : `[${tag}] `;
    const prefix = name === 'Object' && kind === '' ? '' : `${name ?? '[Object: null prototype]'} `;
    return { open: `${prefix}${kind}{`, close: '}', items: [] };
  };

  const nameOfKey = (key) => {
    if (typeof key === 'symbol') return `[${String(key)}]`;
    // Written as a name, it would be the prototype.
    if (key === '__proto__') return "['__proto__']";
    return test(/^[A-Za-z_]\w*$/, key) ? key : quote(key);
  };

  const isIndex = (key) => typeof key === 'string' && test(/^\d+$/, key);

  const propertiesOf = (object, inner) => {
    const properties = [];
    const isText = object instanceof String;
    const isList = isText || isArray(object) || typedArrayName(object) !== undefined;
    // To look for other keys among those of a long list would take long.
    for (const key of isList && object.length > ITEMS ? [] : ownKeys(object)) {
      const isOfError = Error.isError(object) && (key === 'cause' || key === 'errors');
      if ((isList && isIndex(key)) || !(isOfError || isEnumerable(object, key))) continue;
      const { value, get, set } = getOwnPropertyDescriptor(object, key);
      const accessor = get && set ? '[Getter/Setter]' : get ? '[Getter]' : set ? '[Setter]' : undefined;
      const name = isOfError ? `[${key}]` : nameOfKey(key);
      push(properties, `${name}: ${accessor ?? inner(value)}`);
    }
    return properties;
  };

  const inspectObject = (object, look, level) => {
    if (typeof object[CUSTOM] === 'function') {
      const own = object[CUSTOM](DEPTH - level, {}, show);
      if (own !== object) return typeof own === 'string' ? own : inspect(own, look, level);
    }
    if (look.path.includes(object)) {
      if (!look.circles.includes(object)) push(look.circles, object);
      return `[Circular *${look.circles.indexOf(object) + 1}]`;
    }
    const name = classOf(object);
    if (level > DEPTH) return `[${isArray(object) ? 'Array' : (name ?? 'Object: null prototype')}]`;
    push(look.path, object);
    const inner = (value) => inspect(value, look, level + 1);
    const { text, open = '{', close = '}', items = [] } = bodyOf(object, name, inner);
    const all = join([...items, ...propertiesOf(object, inner)], ', ');
    look.path.length--;
    const circle = look.circles.indexOf(object) + 1;
    const prefix = circle === 0 ? '' : `<ref *${circle}> `;
    if (all === '') return prefix + (text ?? open + close);
    return `${prefix}${text === undefined ? '' : `${text} `}${open} ${all} ${close}`;
  };

  const inspect = (value, look, level) => {
    if (look.pieces++ > PIECES) return '...';
    if (typeof value === 'string') return quote(value);
    return isObject(value) ? inspectObject(value, look, level) : show(value);
  };

  /** An object as a line, whatever it does when it is looked at. */
  const showObject = (object) => {
    try {
      return inspect(object, { path: [], circles: [], pieces: 0 }, 0);
    } catch {
      return '[unprintable]';
    }
  };

  const fill = (directive, value) => {
    switch (directive) {
      case '%d':
        return typeof value === 'bigint' ? show(value) : show(isObject(value) ? Number.NaN : Number(value));
      case '%i':
        return show(Number.parseInt(show(value), 10));
      case '%f':
        return show(Number.parseFloat(show(value)));
      case '%j':
        return `${stringify(value)}`;
      case '%c':
        return '';
      case '%s':
        return show(value);
      default:
        return typeof value === 'string' ? quote(value) : show(value);
    }
  };

  /** Values where the first one, a text, says how the others look. */
  const format = ([text, ...values]) => {
    let used = 0;
    const filled = replace(text, /%[sdifjoOc%]/g, (directive) => {
      if (directive === '%%') return '%';
      return used < values.length ? fill(directive, values[used++]) : directive;
    });
    return join([filled, ...values.slice(used).map(show)], ' ');
  };

  return { showObject, format, stackOf };
};
