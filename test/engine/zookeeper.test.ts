import { engineContract, type World } from '../contract/engine.ts';
import { SessionEnder } from '../support/expiry.ts';
import { describeWithZooKeeper, sharedServer, testCoordinator } from '../support/zookeeper.ts';

/** A loaded machine must not lose sessions on its own. */
const SESSION_TIMEOUT_MS = 8_000;

describeWithZooKeeper('one ZooKeeper server', () => {
  engineContract('ZooKeeper', async (): Promise<World> => {
    const ender = await SessionEnder.before([sharedServer()]);
    const coordinator = testCoordinator({ servers: ender.addresses, sessionTimeoutMs: SESSION_TIMEOUT_MS });
    return {
      coordinator,
      expire: (session) => ender.end(session.id),
      async dispose() {
        await coordinator.close();
        await ender[Symbol.asyncDispose]();
      },
    };
  });
});
