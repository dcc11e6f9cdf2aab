/** What a cold start costs: imports a packaged handler, and calls it once. Prints how many milliseconds each took. */
import { pathToFileURL } from 'node:url';

const [path, event] = process.argv.slice(2);
const startMs = performance.now();
const { handler } = await import(pathToFileURL(path).href);
const importedMs = performance.now();
const deadlineMs = Date.now() + 60_000;
const context = {
  awsRequestId: 'probe',
  functionName: 'probe',
  getRemainingTimeInMillis: () => deadlineMs - Date.now(),
};
// The handler's own lines are not ours.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
await handler(JSON.parse(event), context);
const firstMs = performance.now() - importedMs;
write(JSON.stringify({ importMs: importedMs - startMs, firstMs }));
process.exit();
