/** The packaged service: what would be deployed, and the very zips at work. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { describeWithZooKeeper } from '../support/zookeeper.ts';
import { artefactTests } from './artefacts.ts';
import { CLIENT_NAME } from './runtime-api.ts';
import { templateTests } from './template.ts';
import { packageService, type Workspace } from './workspace.ts';

/** Packaging, and a scenario on a machine that has other things to do. */
jest.setTimeout(240_000);

let service: Workspace | undefined;
const packaged = (): Workspace => {
  if (service === undefined) throw new Error('the service was not packaged');
  return service;
};
beforeAll(async () => {
  service = await packageService();
});
afterAll(() => service?.dispose());

describe('the packaged service', () => {
  templateTests(packaged);

  test('is the same, byte by byte, when it is packaged again; and lets in by JSON web tokens where that is asked for', async () => {
    const flags = ['--param=auth=jwt', '--param=jwtIssuer=https://issuer.example.com'];
    const again = await packageService(...flags);
    try {
      expect(again.hashes).toEqual(packaged().hashes);
      const resources = Object.values(again.template.Resources);
      const routes = resources.filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
      expect(routes.map(({ Properties }) => Properties.AuthorizationType)).toEqual(['JWT', 'JWT']);
    } finally {
      await again.dispose();
    }
  });
});

describeWithZooKeeper(`the packaged functions, driven by ${CLIENT_NAME}`, () => artefactTests(packaged));
