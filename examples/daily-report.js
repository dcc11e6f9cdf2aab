// Builds the text of a report from what earlier reports left in the state.

/** Days to remember: the state is kept with the task, so it has to stay small. */
const DAYS = 7;

export default function report(ctx) {
  // The slot is the time that the report is for, also when it is made later, or a second time after a failure.
  const day = ctx.slot.slice(0, 10);
  const { number = 0, days = [] } = ctx.state ?? {};

  const lines = [
    `${ctx.input.title} no. ${number + 1}, ${day}`,
    days.length === 0 ? 'This is the first one.' : `Before it: ${days.join(', ')}.`,
  ];

  return {
    state: { number: number + 1, days: [...days, day].slice(-DAYS) },
    output: lines.join('\n'),
  };
}
