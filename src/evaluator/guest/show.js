// How values look in logs and messages.
({ use, indexOf, is, stringify }) => {
  /** Any value, readable; a text is itself. */
  const show = (value) => {
    switch (typeof value) {
      case 'string':
        return value;
      case 'number':
        return is(value, -0) ? '-0' : `${value}`;
      case 'bigint':
        return `${value}n`;
      case 'function':
        return use('inspect').showObject(value);
      case 'object':
        return value === null ? 'null' : use('inspect').showObject(value);
      default:
        return String(value);
    }
  };

  return {
    show,

    /** Values as `console.log` writes them, `%s` and the like included. */
    format: (values) => {
      const { length } = values;
      const [first] = values;
      if (length > 1 && typeof first === 'string' && indexOf(first, '%') >= 0) return use('inspect').format(values);
      let line = '';
      for (let i = 0; i < length; i++) line += (i > 0 ? ' ' : '') + show(values[i]);
      return line;
    },

    /** What is wrong with something that was given. */
    refuse: (what, value, allowed) =>
      `${what}: received ${typeof value === 'string' ? stringify(value) : show(value)}; allowed: ${allowed}`,
  };
};
