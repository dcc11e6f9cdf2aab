/** The tasks of this program. Their code is text: it runs in the sandbox, and sees nothing of what is around it here. */
import type { TaskDocument } from 'cronkeeper';

export const tasks: TaskDocument[] = [
  {
    id: 'invoice',
    on: [{ source: 'shop', detailType: 'Order shipped', detail: { total: [{ numeric: ['>', 0] }] } }],
    capabilities: { call: ['send-invoice'] },
    code: `
      export default async (ctx) => {
        const order = ctx.input.detail;
        return { output: await ctx.call('send-invoice', order, ctx.idempotencyKey) };
      };
    `,
  },
  {
    id: 'reminder',
    schedule: { cron: '0 9 * * 1-5', timeZone: 'Europe/Berlin' },
    code: 'export default (ctx) => ({ output: ctx.slot })',
  },
];
