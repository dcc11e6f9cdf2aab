/**
 * Cronkeeper inside of a program, without any cloud: tasks, capabilities and events of its own.
 * `npx node examples/embed/program.ts` ends after one order, told twice.
 */
import { type EventDocument, openCronkeeper, type TickReport } from 'cronkeeper';
import { capabilities, invoices, type Order } from './capabilities.ts';
import { tasks } from './tasks.ts';

const keeper = await openCronkeeper({
  url: process.env.CRONKEEPER_URL ?? 'embedded:',
  capabilities,
  principal: 'shop',
});

/** For what this program hears of: a message of a broker, a request, a row that changed. The id makes it one launch. */
async function shipped(order: Order): Promise<void> {
  const event: EventDocument = { id: `order-${order.id}`, source: 'shop', detailType: 'Order shipped', detail: order };
  await keeper.emit(event);
}

try {
  await keeper.tasks.putMany(tasks);
  await shipped({ id: 7, total: 120 });
  await shipped({ id: 7, total: 120 });
  // A program that goes on ticks again and again: each tick stays for its linger, and runs tasks on exact timers.
  const report: TickReport = await keeper.tick({ lingerMs: 0 });
  console.log(`due ${report.due}, succeeded ${report.succeeded}, invoices ${invoices.size}`);
  const { items } = await keeper.tasks.runs('invoice', { limit: 1 });
  for (const { status, output } of items) console.log(`${status}: ${output}`);
} finally {
  await keeper.close();
}
