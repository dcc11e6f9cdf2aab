// Asks for a health page and counts failures in a row. A run that finds the service down is still a run that worked:
// it says what it saw, and keeps the count for the next one.

/** In a row, before anybody is told: one failure is often none. */
const FAILURES_TO_ALERT = 3;

async function statusOf(ctx, path) {
  try {
    return await ctx.call('http-status', path);
  } catch (error) {
    return error.message;
  }
}

export default async function monitor(ctx) {
  const before = ctx.state?.failures ?? 0;
  const status = await statusOf(ctx, '/healthz');
  const failures = status === 200 ? 0 : before + 1;

  if (failures === FAILURES_TO_ALERT) ctx.log(`ALERT: ${failures} failures in a row, the last one: ${status}`);
  if (failures === 0 && before >= FAILURES_TO_ALERT) ctx.log(`recovered after ${before} failures`);

  return { state: { failures }, output: { healthy: failures === 0, status, failures } };
}
