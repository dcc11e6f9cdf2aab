/** From the moment at which nothing comes back any more to the error that says so. */
import { openCronkeeper } from '../../src/app.ts';
import { isCronkeeperError } from '../../src/errors.ts';
import { FlakyProxy } from '../../test/support/proxy.ts';
import type { Servers } from '../../tools/zookeeper-server.ts';
import type { Probe, Row } from '../suite.ts';
import { freshNamespace, until, urlOf } from './stage.ts';

export function blackHole(row: Row, servers: Servers, sessionTimeoutMs: number): Probe {
  return {
    rows: [row],
    async measure() {
      await using proxy = await FlakyProxy.to(servers.addresses[0] as string);
      const namespace = freshNamespace();
      const keeper = await openCronkeeper({ url: urlOf([proxy.address]), namespace, sessionTimeoutMs });
      try {
        await keeper.tasks.put({ id: 'beat', schedule: { every: '100ms' }, code: '1' });
        let runs = 0;
        const ticking = keeper.tick({ lingerMs: 60_000, onRun: () => runs++ });
        const failed = ticking.then(
          () => 'no error',
          (error: unknown) => (isCronkeeperError(error) ? undefined : String(error)),
        );
        await until('it is at work', () => runs > 3);
        const fromMs = performance.now();
        proxy.swallowToServer = proxy.swallowToClient = true;
        const wrong = await failed;
        if (wrong !== undefined) return `the tick ended with ${wrong}`;
        return [performance.now() - fromMs];
      } finally {
        proxy.swallowToServer = proxy.swallowToClient = false;
        proxy.cutAll();
        await keeper.close();
      }
    },
  };
}
