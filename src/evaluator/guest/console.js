// The console, and `ctx.log`: what is written becomes a log line.
({ host, use, now, slice, split, join, define, show, format }) => {
  const LINE_CHARS = 64 * 1024;
  const INDENT = '  ';

  let indent = '';
  const counts = { __proto__: null };
  const starts = { __proto__: null };

  const write = (line) => {
    const text = slice(line, 0, LINE_CHARS);
    host(`L${indent === '' ? text : indent + join(split(text, '\n'), `\n${indent}`)}`);
  };
  const log = (...values) => write(format(values));
  const group = (...values) => {
    if (values.length > 0) log(...values);
    indent += INDENT;
  };
  const logTime = (label, values) => {
    if (starts[label] !== undefined) log(`${label}: ${now() - starts[label]}ms`, ...values);
  };

  define(globalThis, 'console', {
    log,
    warn: log,
    dir: (value) => write(show(value)),
    time: (label = 'default') => {
      starts[label] = now();
    },
    timeEnd: (label = 'default') => {
      logTime(label, []);
      delete starts[label];
    },
    timeLog: (label = 'default', ...values) => logTime(label, values),
    trace: (...values) => write(`Trace: ${format(values)}${use('inspect').stackOf(new Error())}`),
    assert: (value, ...values) => {
      if (!value) write(`Assertion failed${values.length === 0 ? '' : `: ${format(values)}`}`);
    },
    count: (label = 'default') => {
      counts[label] = (counts[label] ?? 0) + 1;
      write(`${label}: ${counts[label]}`);
    },
    countReset: (label = 'default') => {
      delete counts[label];
    },
    group,
    groupEnd: () => {
      indent = slice(indent, INDENT.length);
    },
    table: log,
    debug: log,
    info: log,
    error: log,
    groupCollapsed: group,
  });

  return { log };
};
